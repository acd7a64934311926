"""What every head does, and the loss of those that give one chunk."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

Loss = Literal["l1", "mse", "huber"]
HeadKind = Literal["mlp", "residual", "recurrent", "transformer", "diffusion", "flow", "sac", "ppo"]


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """What the head is made of; stored in the policy's card."""

    proprio_dim: int
    """S; 0: the policy does not see proprio."""
    state_dim: int
    """E; 0 for a visual policy."""
    action_dim: int
    chunk_length: int
    hidden: tuple[int, ...] = (256, 256)
    dropout: float = 0.0
    """Of the standardized features and of the hidden layers, 0-1."""
    kind: HeadKind = "mlp"
    sampling_steps: int = 10
    """Of `diffusion` and `flow`: from noise to a chunk."""
    temperature: float = 1.0
    """Of `diffusion` and `flow`: standard deviation of the noise that a chunk is made of."""
    furthest: float = 4.0
    """Of `diffusion`: how many standard deviations from the mean an action lies at most."""
    num_observation_steps: int = 1
    """Pictures of each camera that are seen at once: that of now and those of the steps before."""
    action_low: tuple[float, ...] = ()
    action_high: tuple[float, ...] = ()
    """Smallest and largest value of each action, in units of a robot's own; empty: all span [-1, 1]."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class Head(nn.Module, ABC):
    """Context to a chunk of normalized actions.

    Args:
        sizes: of the parts of the context: features of each view, proprio, state; those that are not there are 0.
        spec: what to build.
    """

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__()
        self.sizes = tuple(size for size in sizes if size)
        self.spec = spec

    @abstractmethod
    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return a chunk; heads that sample draw from the generator."""

    @abstractmethod
    def loss(
        self,
        context: Float[Tensor, "B C"],
        targets: Float[Tensor, "B K A"],
        valid: Bool[Tensor, "B K"],
        *,
        kind: Loss,
        generator: torch.Generator,
    ) -> Float[Tensor, ""]:
        """Return what training lowers; only steps within the episode count."""


class RegressionHead(Head):
    """A head that gives one chunk, fitted to the demonstrated one."""

    def loss(
        self,
        context: Float[Tensor, "B C"],
        targets: Float[Tensor, "B K A"],
        valid: Bool[Tensor, "B K"],
        *,
        kind: Loss,
        generator: torch.Generator,
    ) -> Float[Tensor, ""]:
        """Return the mean error of the chunk."""
        return chunk_loss(self(context), targets, valid, kind=kind)


def chunk_loss(
    predicted: Float[Tensor, "B K A"], target: Float[Tensor, "B K A"], valid: Bool[Tensor, "B K"], *, kind: Loss
) -> Float[Tensor, ""]:
    """Return the mean over the valid steps of all chunks; steps past the end of an episode do not count."""
    match kind:
        case "l1":
            errors = functional.l1_loss(predicted, target, reduction="none")
        case "mse":
            errors = functional.mse_loss(predicted, target, reduction="none")
        case "huber":
            errors = functional.smooth_l1_loss(predicted, target, reduction="none")
    weights = valid[..., None].to(errors.dtype)
    return (errors * weights).sum() / (weights.sum() * errors.shape[-1]).clamp_min(1)
