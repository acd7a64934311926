"""The network of behaviour cloning: encoder, normalization and an MLP head that gives an action chunk."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from robossl.encoders import Encoder
from robossl.errors import EncoderError


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

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class PolicyNetwork(nn.Module):
    """Observation to action chunk. Statistics of features, proprio, state and actions are buffers, hence saved."""

    def __init__(self, spec: HeadSpec, *, encoder: Encoder | None, cameras: Sequence[str]) -> None:
        """Build the head on an encoder.

        Args:
            spec: sizes.
            encoder: shared by all cameras; None for a policy on simulator state.
            cameras: names, in the order in which `features` takes the views; empty without an encoder.
        """
        super().__init__()
        if (encoder is None) != (len(cameras) == 0):
            raise EncoderError(f"a policy with cameras {list(cameras)} needs an encoder, and one without has none")
        self.spec = spec
        self.encoder = encoder
        self.cameras = tuple(cameras)
        self.feature_dim = 0 if encoder is None else encoder.feature_dim * len(cameras)  # X
        sizes = {"feature": self.feature_dim, "proprio": spec.proprio_dim, "state": spec.state_dim}
        for name, size in (sizes | {"action": spec.action_dim}).items():
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_std", torch.ones(size))
        self.feature_dropout = nn.Dropout(spec.dropout)
        self.head = _mlp(sum(sizes.values()), spec.hidden, spec.chunk_length * spec.action_dim, dropout=spec.dropout)

    def set_statistics(self, name: str, mean: Float[Tensor, " d"], std: Float[Tensor, " d"]) -> None:
        """Set what `feature`, `proprio`, `state` or `action` is normalized with."""
        self.get_buffer(f"{name}_mean").copy_(mean)
        self.get_buffer(f"{name}_std").copy_(std)

    def features(self, pixels: UInt8[Tensor, "B V 3 H W"]) -> Float[Tensor, "B X"]:
        """Return the encoder's features of all views, joined and not yet standardized."""
        if self.encoder is None:
            raise EncoderError("a policy on simulator state has no encoder, so it has no features")
        features = self.encoder(pixels.flatten(0, 1))  # [BV,D]
        return features.unflatten(0, pixels.shape[:2]).flatten(1)

    def normalized_chunk(
        self,
        *,
        features: Float[Tensor, "B X"] | None,
        proprio: Float[Tensor, "B S"],
        state: Float[Tensor, "B E"] | None,
    ) -> Float[Tensor, "B K A"]:
        """Return the chunk in units of the demonstrations' standard deviation: what the loss compares."""
        inputs = []
        if features is not None:
            inputs.append(self.feature_dropout(self._normalized("feature", features)))
        if self.spec.proprio_dim:
            inputs.append(self._normalized("proprio", proprio))
        if state is not None and self.spec.state_dim:
            inputs.append(self._normalized("state", state))
        return self.head(torch.cat(inputs, dim=1)).unflatten(1, (self.spec.chunk_length, self.spec.action_dim))

    def forward(
        self,
        *,
        pixels: UInt8[Tensor, "B V 3 H W"] | None,
        proprio: Float[Tensor, "B S"],
        state: Float[Tensor, "B E"] | None = None,
    ) -> Float[Tensor, "B K A"]:
        """Return the chunk of actions in [-1, 1]."""
        features = None if pixels is None else self.features(pixels)
        chunk = self.normalized_chunk(features=features, proprio=proprio, state=state)
        return (chunk * self.get_buffer("action_std") + self.get_buffer("action_mean")).clamp(-1, 1)

    def _normalized(self, name: str, values: Float[Tensor, "B d"]) -> Float[Tensor, "B d"]:
        return (values - self.get_buffer(f"{name}_mean")) / self.get_buffer(f"{name}_std")


def _mlp(inputs: int, hidden: Sequence[int], outputs: int, *, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))
