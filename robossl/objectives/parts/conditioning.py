"""What a prediction is conditioned on: how far ahead, and what the robot does until then."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from robossl.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ActionStats:
    """Mean and standard deviation of each of the A actions of a source, and of the S numbers of its robot's state."""

    mean: Sequence[float]
    std: Sequence[float]
    state_mean: Sequence[float] = ()
    """Empty where the source has no state."""
    state_std: Sequence[float] = ()


class ActionScaling(nn.Module):
    """Brings the actions of each source to mean 0 and deviation 1; A differs between sources."""

    def __init__(self, stats: Mapping[str, ActionStats]) -> None:
        super().__init__()
        self.names = list(stats)
        self.sizes = {name: len(stats[name].mean) for name in self.names}
        for i, name in enumerate(self.names):
            self.register_buffer(f"mean{i}", torch.tensor(stats[name].mean, dtype=torch.float32))
            # an action that never changes stays 0 instead of growing without bound
            std = torch.tensor(stats[name].std, dtype=torch.float32).clamp(min=1e-3)
            self.register_buffer(f"std{i}", std)

    def forward(self, actions: Float[Tensor, "*B kA"], source: str, *, num_steps: int) -> Float[Tensor, "*B n A"]:
        """Return the first `num_steps` of the joined actions, scaled.

        Raises:
            ConfigError: if the source was not named when the statistics were made.
        """
        if source not in self.sizes:
            raise ConfigError(f"no action statistics of source {source!r}; there are {', '.join(self.names)}")
        i = self.names.index(source)
        steps = actions.unflatten(-1, (-1, self.sizes[source]))[..., :num_steps, :]
        return (steps - self.get_buffer(f"mean{i}")) / self.get_buffer(f"std{i}")


class Conditioning(nn.Module):
    """One vector of horizon and, where the source has them, actions up to the horizon.

    Actions are picked counted back from the target, so that one weight means the same at every horizon: targets of
    joints tell by their last values where the robot will be. Moves add up to where it will be, hence also the sum.
    """

    def __init__(self, dim: int, *, max_horizon: int, action_stats: Mapping[str, ActionStats]) -> None:
        """Make the layers.

        Args:
            dim: size of the vector.
            max_horizon: largest number of source frames ahead.
            action_stats: of each source that has actions.
        """
        super().__init__()
        self.max_horizon = max_horizon
        self.scaling = ActionScaling(action_stats)
        self.horizon_layer = nn.Linear(NUM_WAVES, dim)
        num_picked = len(_LAGS) + len(_PARTS)
        self.action_layers = nn.ModuleList(
            nn.Sequential(nn.Linear(size * (num_picked + 1) + num_picked, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
            for size in self.scaling.sizes.values()
        )
        self.joint_layers = nn.Sequential(nn.ReLU(), nn.Linear(dim, dim), nn.ReLU())

    def forward(
        self,
        horizon: Int64[Tensor, "B K"],
        actions: Float[Tensor, "B kA"] | None,
        source: str,
    ) -> Float[Tensor, "B K dim"]:
        """Return the vector of each target.

        Args:
            horizon: source frames from the last context frame to the target, 1 to `max_horizon`.
            actions: from the last context frame on, joined; None where the source has none.
            source: that they come from.
        """
        out = self.horizon_layer(horizon_waves(horizon, self.max_horizon))
        if actions is not None and source in self.scaling.sizes:
            steps = self.scaling(actions, source, num_steps=self.max_horizon)  # [B,k,A]
            layers = self.action_layers[self.scaling.names.index(source)]
            out = out + layers(torch.cat([_picked(steps, horizon), _summed(steps, horizon)], dim=-1))
        return self.joint_layers(out)


_LAGS = (0, 2, 4, 6, 9, 12)
"""Source frames before the last action: a robot follows its commands by 5 to 10 frames at 30 Hz."""
_PARTS = (0.0, 0.25, 0.5, 0.75)
"""Places on the way to the target, for what is moved along."""


def _picked(steps: Float[Tensor, "B k A"], horizon: Int64[Tensor, "B K"]) -> Float[Tensor, "B K F"]:
    """Return some actions before each target, and how far each is from the first: log10 of the root mean square.

    None after the target, for those can't have caused it.
    """
    last = horizon[..., None] - 1  # [B,K,1]
    late = (last - torch.tensor(_LAGS, device=horizon.device)).clamp(min=0)
    spread = (last * torch.tensor(_PARTS, device=horizon.device)).round().long()
    places = torch.cat([late, spread], dim=-1)  # [B,K,n]
    rows = torch.arange(len(steps), device=horizon.device)[:, None, None]
    picked = steps[rows, places]  # [B,K,n,A]
    away = (picked - steps[:, :1, None]).square().mean(dim=-1)
    return torch.cat([picked.flatten(2), 1 + (away + 1e-4).log10() / 2], dim=-1)


def _summed(steps: Float[Tensor, "B k A"], horizon: Int64[Tensor, "B K"]) -> Float[Tensor, "B K A"]:
    """Return the sum of the actions before each target, in parts of the largest horizon."""
    max_horizon = steps.shape[1]
    before: Bool[Tensor, "B K k"] = torch.arange(max_horizon, device=horizon.device) < horizon[..., None]
    return before.to(steps.dtype) @ steps / max_horizon


NUM_WAVES = 13
"""Numbers that tell a horizon."""


def horizon_waves(horizon: Int64[Tensor, "B K"], max_horizon: int) -> Float[Tensor, "B K F"]:
    """Return the horizon in parts of the largest one, and sines and cosines of it, from slow to fast."""
    part = horizon.float()[..., None] / max_horizon
    phases = part * math.pi * 2.0 ** torch.arange(NUM_WAVES // 2, device=horizon.device) / 2
    return torch.cat([part, phases.sin(), phases.cos()], dim=-1)
