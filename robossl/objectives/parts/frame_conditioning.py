"""What a future frame depends on beside the frames seen: how far ahead it is, and how the robot is told to move."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from robossl.objectives.parts.conditioning import NUM_WAVES, ActionStats, horizon_waves


@dataclass(frozen=True, kw_only=True)
class RobotTrack:
    """What is known of the robot."""

    actions: Float[Tensor, "B n A"]
    """From the first context frame to the furthest target, one for each source frame; what a recording lacks is 0."""
    states: Float[Tensor, "B T S"] | None = None
    """At the context frames."""


@dataclass(frozen=True, kw_only=True)
class FrameCondition:
    """What the predictor is told about each target."""

    vector: Float[Tensor, "B K E"]
    openness: Float[Tensor, "B K"]
    """How much may change, as a logit."""


class FrameConditioning(nn.Module):
    """From horizon, commands and the robot's state to a `FrameCondition`.

    Where the robot will be is told by commands counted back from the target, so that one weight means the same at every
    horizon; where it is now, by those counted back from the last frame and by its state. How much may change at all is
    told by lengths alone: how far the commands go, how fast the robot and the pixels move. They are few, so that an
    unseen episode's resting robot rests in the prediction too, which a large network gets wrong.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_before: int,
        max_horizon: int,
        action_stats: Mapping[str, ActionStats],
        noise: float = 0.0,
    ) -> None:
        """Make the layers.

        Args:
            dim: E, size of the vector.
            num_before: source frames from the first context frame to the last.
            max_horizon: largest number of source frames ahead.
            action_stats: of each source that has actions.
            noise: deviation of what is added to actions and state in training, in their own deviations, the same for
                all instants of a clip: as if the robot were calibrated otherwise.
        """
        super().__init__()
        self.num_before = num_before
        self.max_horizon = max_horizon
        self.names = list(action_stats)
        self.sizes = {name: len(stats.mean) for name, stats in action_stats.items()}
        self.unknown = _Heads(NUM_WAVES, NUM_WAVES + 1, dim=dim)
        self.tracks = nn.ModuleList(_TrackHeads(stats, dim=dim, noise=noise) for stats in action_stats.values())

    def forward(
        self,
        horizon: Int64[Tensor, "B K"],
        context: Float[Tensor, "B T 3 H W"],
        track: RobotTrack | None,
        source: str,
    ) -> FrameCondition:
        """Return the condition of each target.

        Args:
            horizon: source frames from the last context frame to the target, 1 to `max_horizon`.
            context: frames in 0-1; only how much they change is looked at.
            track: what is known of the robot; None where the source has no actions.
            source: that it comes from.
        """
        waves = horizon_waves(horizon, self.max_horizon)
        lengths = torch.cat([waves, _motion(context)[:, None].expand(-1, horizon.shape[1], -1)], dim=-1)
        if track is None or source not in self.names:
            return self.unknown(waves, lengths)
        heads = self.tracks[self.names.index(source)]
        return heads(waves, lengths, track, self._places(horizon), self._places(torch.zeros_like(horizon[:, :1])))

    def num_actions(self, source: str) -> int:
        """Return A of a source."""
        return self.sizes[source]

    def _places(self, horizon: Int64[Tensor, "B K"]) -> Int64[Tensor, "B K n"]:
        """Return which actions tell where the robot is at a horizon: none after it, none before the context."""
        return (horizon[..., None] + self.num_before - torch.tensor(_LAGS, device=horizon.device)).clamp(min=0)


class _Heads(nn.Module):
    """Two small networks: one of all that is known, one of lengths."""

    def __init__(self, num_known: int, num_lengths: int, *, dim: int) -> None:
        super().__init__()
        self.vector = nn.Sequential(nn.Linear(num_known, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim), nn.ReLU())
        self.openness = nn.Sequential(nn.Linear(num_lengths, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, known: Float[Tensor, "B K F"], lengths: Float[Tensor, "B K G"]) -> FrameCondition:
        # sharp, so that it closes within few steps where nothing moves
        return FrameCondition(vector=self.vector(known), openness=1 + 5 * self.openness(lengths).squeeze(-1))


class _TrackHeads(nn.Module):
    """The heads of a source with actions."""

    def __init__(self, stats: ActionStats, *, dim: int, noise: float) -> None:
        super().__init__()
        size, state_size = len(stats.mean), len(stats.state_mean)
        self.noise = noise
        self.action_scale, self.state_scale = _Scale(stats.mean, stats.std), _Scale(stats.state_mean, stats.state_std)
        # which joints move a lot in the picture is learned: directions whose lengths are looked at
        self.directions = nn.Parameter(0.3 * torch.randn(size, _NUM_LENGTHS * _DIRECTIONS_OF_LENGTH))
        num_known = NUM_WAVES + 2 * len(_LAGS) * size + 2 * state_size
        num_lengths = NUM_WAVES + 1 + len(_LAGS) * (1 + _NUM_LENGTHS) + int(state_size > 0)
        self.heads = _Heads(num_known, num_lengths, dim=dim)

    def forward(
        self,
        waves: Float[Tensor, "B K F"],
        lengths: Float[Tensor, "B K G"],
        track: RobotTrack,
        then: Int64[Tensor, "B K n"],
        now: Int64[Tensor, "B 1 n"],
    ) -> FrameCondition:
        actions = self.action_scale(track.actions)
        rows = torch.arange(len(actions), device=actions.device)[:, None, None]
        ahead = actions[rows, then]  # [B,K,n,A]
        way = ahead - actions[rows, now]
        known = [waves, self._shaken(ahead).flatten(2), way.flatten(2)]
        lengths = torch.cat([lengths, _log_length(way), _log_length(self._directed(way)).flatten(2)], dim=-1)
        if track.states is not None and len(self.state_scale.mean):
            states = self.state_scale(track.states)
            change = (states[:, -1] - states[:, 0])[:, None].expand(-1, waves.shape[1], -1)
            known += [self._shaken(states[:, -1:]).expand_as(change), 3 * change]
            lengths = torch.cat([lengths, _log_length(change)[..., None]], dim=-1)
        return self.heads(torch.cat(known, dim=-1), lengths)

    def _directed(self, way: Float[Tensor, "B K n A"]) -> Float[Tensor, "B K n L P"]:
        return (way @ self.directions).unflatten(-1, (_NUM_LENGTHS, _DIRECTIONS_OF_LENGTH))

    def _shaken(self, values: Float[Tensor, "B *n A"]) -> Float[Tensor, "B *n A"]:
        if not self.training or self.noise == 0:
            return values
        shape = (len(values), *[1] * (values.ndim - 2), values.shape[-1])
        return values + self.noise * torch.randn(shape, device=values.device)


class _Scale(nn.Module):
    """Brings numbers to mean 0 and deviation 1."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: object, std: object) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        # what never changes stays 0 instead of growing without bound
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32).clamp(min=1e-3))

    def forward(self, values: Float[Tensor, "*B A"]) -> Float[Tensor, "*B A"]:
        return (values - self.mean) / self.std


_LAGS = (1, 3, 5, 7, 9, 12)
"""Source frames before an instant: a robot follows its commands by 5 to 10 frames at 30 Hz."""
_NUM_LENGTHS, _DIRECTIONS_OF_LENGTH = 8, 4


def _log_length(values: Float[Tensor, "*B A"]) -> Float[Tensor, "*B"]:
    """Return the logarithm of the root mean square of each row, about -1 to 1."""
    return 1 + (values.square().mean(dim=-1) + 1e-4).log10() / 2


def _motion(context: Float[Tensor, "B T 3 H W"]) -> Float[Tensor, "B 1"]:
    """Return how much the context moves, on a logarithmic scale of about -1 to 1."""
    change = (context[:, -1] - context[:, 0]).square().mean(dim=(1, 2, 3))
    return (change + 1e-5).log10()[:, None] / 2 + 1.5
