"""Static stretches of an episode, as far as drawing clips knows them: no decoder and no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64

from robossl.data.clip_specs import Context, Draw, Far, OnTheWay, Ordered, Spec, Spread

TRIES = 16
ROUNDING_S = 5e-4


@dataclass(frozen=True, eq=False)
class StaticFrames:
    """Which static stretch each of the L frames of an episode lies in, and how often clips are taken from there."""

    number: Int64[np.ndarray, " L"]
    """From 1 on; 0 where something moves."""
    fps_hz: float
    weight: float
    """How often clips begin in a static stretch, in parts of how often they begin elsewhere; 0 to 1."""
    before_s: float = 0.0
    """Seconds of motion before the first frame."""

    @cached_property
    def motion_s(self) -> Float64[np.ndarray, " L"]:
        """Seconds of motion up to each frame: a clock that stands still in a static stretch."""
        stands = (self.number[1:] > 0) & (self.number[1:] == self.number[:-1])
        return self.before_s + np.concatenate([[0.0], np.cumsum(~stands) / self.fps_hz])

    @property
    def weighted_length(self) -> int:
        """Frames of the episode, static ones counted by their weight."""
        moving = int((self.number == 0).sum())
        return moving + round(self.weight * (len(self.number) - moving))

    def part(self, start: int, stop: int) -> "StaticFrames":
        """Return frames `start` to `stop` - 1; their clock goes on."""
        return StaticFrames(self.number[start:stop], self.fps_hz, self.weight, float(self.motion_s[start]))

    def same_stretch(self, first: int, last: int) -> bool:
        """Return whether two frames lie in one static stretch."""
        return bool(self.number[first] > 0 and self.number[first] == self.number[last])


def numbered(stretches: Sequence[tuple[int, int]], length: int) -> Int64[np.ndarray, " L"]:
    """Return the number of the stretch that each of `length` frames lies in, from 1 on; 0 for none."""
    number = np.zeros(length, dtype=np.int64)
    for place, (start, stop) in enumerate(stretches, start=1):
        number[start:stop] = place
    return number


def thinned(
    spec: Spec,
    draw_one: Callable[[int], Draw],
    static: StaticFrames,
    drawn: Mapping[Spec, Draw],
    *,
    seed: Sequence[int],
) -> Draw:
    """Draw frames (`draw_one(attempt)`); what is in a static stretch is, but for the share `weight`, drawn again.

    It counts where no motion is in it: an instant alone, a row of frames with all that is told from it, start and goal.
    Negatives that differ from their instant by no more motion than their margin are always drawn again, and invalid
    where the episode has no better ones. A first draw without static frames is returned as it is.
    """
    draw, fresh = draw_one(0), np.ones(1, dtype=bool)
    for attempt in range(1, TRIES + 1):
        unwanted = fresh & _is_static(spec, draw, static)  # what was let pass once stays
        if unwanted.any():
            chance = np.random.default_rng([*seed, TRIES + attempt]).random(unwanted.shape)
            unwanted &= chance >= static.weight
        unwanted = unwanted | _too_alike(spec, draw, static, drawn)
        if not unwanted.any():
            return draw
        other, fresh = draw_one(attempt), unwanted
        draw = Draw(
            indices=np.where(unwanted, other.indices, draw.indices), valid=np.where(unwanted, other.valid, draw.valid)
        )
    return Draw(indices=draw.indices, valid=draw.valid & ~_too_alike(spec, draw, static, drawn))


def _is_static(spec: Spec, draw: Draw, static: StaticFrames) -> Bool[np.ndarray, " n"]:
    """Return for each instant, or for all of the draw, whether no motion is in it."""
    first, last = int(draw.indices[0]), int(draw.indices[-1])
    match spec:
        case Spread():
            return static.number[draw.indices] > 0
        case Context(num=num, frame_stride=frame_stride, reach=reach):
            end = min(first + (num - 1) * frame_stride + reach, len(static.number) - 1)
            return np.array([static.same_stretch(first, end)])
        case OnTheWay():
            return np.array([static.same_stretch(first, last)])
        case _:
            return np.array([False])


def _too_alike(spec: Spec, draw: Draw, static: StaticFrames, drawn: Mapping[Spec, Draw]) -> Bool[np.ndarray, " n"]:
    """Return for each negative, or for all of the draw, whether it shows what its instant shows."""
    match spec:
        case Far(base=base, margin_s=margin_s):
            apart_s = np.abs(static.motion_s[draw.indices] - static.motion_s[drawn[base].indices])
            return draw.valid & (apart_s <= margin_s + ROUNDING_S)
        case Ordered():
            return np.array([static.same_stretch(int(draw.indices[0]), int(draw.indices[-1]))])
        case _:
            return np.array([False])
