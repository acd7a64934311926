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
    """Mean and standard deviation of each of the A actions of a source."""

    mean: Sequence[float]
    std: Sequence[float]


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
    """One vector of horizon and, where the source has them, actions up to the horizon."""

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
        self.horizon_layers = nn.Sequential(nn.Linear(_NUM_WAVES * 2 + 1, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.action_layers = nn.ModuleList(
            nn.Sequential(nn.Linear(size * max_horizon + max_horizon, dim), nn.ReLU(), nn.Linear(dim, dim))
            for size in self.scaling.sizes.values()
        )

    def forward(
        self,
        horizon: Int64[Tensor, "B K"],
        actions: Float[Tensor, "B kA"] | None,
        source: str,
    ) -> Float[Tensor, "B K dim"]:
        """Return the vector of each target.

        Args:
            horizon: source frames from the last context frame to the target.
            actions: from the last context frame on, joined; None where the source has none.
            source: that they come from.
        """
        out = self.horizon_layers(_waves(horizon, self.max_horizon))
        if actions is None or source not in self.scaling.sizes:
            return out
        steps = self.scaling(actions, source, num_steps=self.max_horizon)  # [B,k,A]
        before: Bool[Tensor, "B K k"] = torch.arange(self.max_horizon, device=horizon.device) < horizon[..., None]
        # actions after the target can't have caused it, and past the end of an episode there are none
        kept = steps[:, None] * before[..., None]  # [B,K,k,A]
        layers = self.action_layers[self.scaling.names.index(source)]
        return out + layers(torch.cat([kept.flatten(2), before.to(kept.dtype)], dim=-1))


_NUM_WAVES = 6


def _waves(horizon: Int64[Tensor, "B K"], max_horizon: int) -> Float[Tensor, "B K F"]:
    part = horizon.float()[..., None] / max_horizon
    phases = part * math.pi * 2.0 ** torch.arange(_NUM_WAVES, device=horizon.device) / 2
    return torch.cat([part, phases.sin(), phases.cos()], dim=-1)
