"""One group of frames of a training item: specs that draw indices from (number of frames, frame rate, generator).

Where an episode is too short, a place is filled with another frame of the episode and marked invalid; a valid place
always holds the frame that its index names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from robossl.errors import ConfigError

Rng = Callable[[], np.random.Generator]
"""Makes the generator of a draw; called where one is needed, since to seed one costs more than most draws."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Frame indices of one group, and which of them are what they say."""

    indices: Int64[np.ndarray, " n"]
    valid: Bool[np.ndarray, " n"]


@dataclass(frozen=True)
class Spread:
    """`num` instants spread out over the episode: one drawn from each of `num` equal parts."""

    num: int

    def __post_init__(self) -> None:
        _require(self.num >= 1, "num", self.num, "at least 1")

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return distinct instants in order of time; the last ones are fillers where the episode is too short."""
        if num_frames < self.num:
            return Draw(indices=np.minimum(np.arange(self.num), num_frames - 1), valid=np.arange(self.num) < num_frames)
        edges = np.arange(self.num + 1) * num_frames // self.num
        return Draw(indices=rng().integers(edges[:-1], edges[1:]), valid=np.ones(self.num, dtype=bool))


@dataclass(frozen=True)
class Near:
    """One frame for each instant of `base`, at most `window_s` away and never the instant itself."""

    base: Spread
    window_s: float

    def __post_init__(self) -> None:
        _require(self.window_s > 0, "positive_window_s", self.window_s, "more than 0 s")

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return the neighbours; invalid where the base is, or where the episode has no other frame."""
        base = drawn[self.base]
        # at least the next frame: at a low frame rate the window may be shorter than a frame
        reach = max(1, int(self.window_s * fps_hz + 1e-6))
        start = np.maximum(base.indices - reach, 0)
        stop = np.minimum(base.indices + reach, num_frames - 1)  # one less than the neighbourhood: itself is left out
        possible = stop > start
        indices = rng().integers(start, np.maximum(stop, start + 1))
        indices = indices + (indices >= base.indices)  # step over the instant itself
        return Draw(indices=np.where(possible, indices, base.indices), valid=base.valid & possible)


@dataclass(frozen=True)
class Context:
    """`num` frames in a row, `frame_stride` source frames apart, with `reach` source frames after them if possible."""

    num: int
    frame_stride: int
    reach: int

    def __post_init__(self) -> None:
        _require(self.num >= 1, "num_context", self.num, "at least 1")
        _require(self.frame_stride >= 1, "frame_stride", self.frame_stride, "at least 1")

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return the frames; where the context itself does not fit, its last frames are invalid fillers."""
        span = (self.num - 1) * self.frame_stride
        # an episode shorter than the context and its reach starts at its first frame
        start = rng().integers(0, max(1, num_frames - span - self.reach))
        indices = start + np.arange(self.num) * self.frame_stride
        return Draw(indices=np.minimum(indices, num_frames - 1), valid=indices < num_frames)


@dataclass(frozen=True)
class Ahead:
    """Frames after the last context frame, `horizons` source frames later.

    `num` of the horizons are drawn for each item (in order); all of them if `num` is None.
    """

    base: Context
    horizons: tuple[int, ...]
    num: int | None = None

    def __post_init__(self) -> None:
        increasing = all(a < b for a, b in zip(self.horizons, self.horizons[1:], strict=False))
        _require(
            bool(self.horizons) and self.horizons[0] >= 1 and increasing,
            "horizons",
            self.horizons,
            "increasing and at least 1",
        )
        _require(
            self.num is None or 1 <= self.num <= len(self.horizons),
            "num_targets",
            self.num,
            f"between 1 and the number of horizons, {len(self.horizons)}",
        )

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return the frames; invalid where they lie past the end, or where the context is not whole."""
        base = drawn[self.base]
        horizons = np.asarray(self.horizons)
        if self.num is not None and self.num < len(horizons):
            horizons = np.sort(rng().choice(horizons, self.num, replace=False))
        last = base.indices[0] + (self.base.num - 1) * self.base.frame_stride  # where the context would end
        indices = last + horizons
        return Draw(indices=np.minimum(indices, num_frames - 1), valid=(indices < num_frames) & bool(base.valid.all()))


@dataclass(frozen=True)
class Far:
    """One frame for each instant of `base`, more than `margin_s` away, and at most `window_s` if that is given."""

    base: Spread
    margin_s: float
    window_s: float | None = None

    def __post_init__(self) -> None:
        _require(self.margin_s >= 0, "negative_margin_s", self.margin_s, "at least 0 s")
        wide = self.window_s is None or self.window_s > self.margin_s
        _require(wide, "negative_window_s", self.window_s, f"more than negative_margin_s, {self.margin_s} s")

    @property
    def num(self) -> int:
        """Frames in the group."""
        return self.base.num

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return the far frames; invalid where the base is, or where the episode has none."""
        base = drawn[self.base]
        nearest = int(self.margin_s * fps_hz + 1e-6) + 1
        # at least the nearest one: at a low frame rate the window may hold no whole frame
        furthest = num_frames if self.window_s is None else max(nearest, int(self.window_s * fps_hz + 1e-6))
        start = np.maximum(base.indices - furthest, 0)
        before = np.maximum(base.indices - nearest + 1 - start, 0)  # how many frames lie far enough before
        stop = np.minimum(base.indices + furthest, num_frames - 1) + 1
        after = np.maximum(stop - (base.indices + nearest), 0)
        place = rng().integers(0, np.maximum(before + after, 1))
        indices = np.where(place < before, start + place, base.indices + nearest + place - before)
        possible = before + after > 0
        return Draw(indices=np.where(possible, indices, base.indices), valid=base.valid & possible)


@dataclass(frozen=True)
class Ordered:
    """Three instants in order of time: the middle one is uniform, the others are uniform before and after it."""

    @property
    def num(self) -> int:
        """Frames in the group."""
        return 3

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return the instants; all invalid in an episode of fewer than three frames."""
        if num_frames < 3:
            return Draw(indices=np.minimum(np.arange(3), num_frames - 1), valid=np.zeros(3, dtype=bool))
        generator = rng()
        middle = generator.integers(1, num_frames - 1)
        indices = np.array([generator.integers(0, middle), middle, generator.integers(middle + 1, num_frames)])
        return Draw(indices=indices, valid=np.ones(3, dtype=bool))


@dataclass(frozen=True)
class OnTheWay:
    """Start, two neighbouring frames on the way, and goal: start and goal uniform, the way uniform between them."""

    @property
    def num(self) -> int:
        """Frames in the group."""
        return 4

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return (start, now, next, goal); the next frame may be the goal. All invalid in an episode of one frame."""
        if num_frames < 2:
            return Draw(indices=np.zeros(4, dtype=np.int64), valid=np.zeros(4, dtype=bool))
        generator = rng()
        start = generator.integers(0, num_frames - 1)
        goal = generator.integers(start + 1, num_frames)
        now = generator.integers(start, goal)
        return Draw(indices=np.array([start, now, now + 1, goal]), valid=np.ones(4, dtype=bool))


@dataclass(frozen=True)
class Again:
    """The very frames of `base` as a group of their own, so that augmentation changes them by another draw."""

    base: "Spread | Context | Ahead"

    @property
    def num(self) -> int:
        """Frames in the group."""
        return size_of(self.base)

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: Rng) -> Draw:
        """Return the frames of the base."""
        return drawn[self.base]


Spec = Spread | Near | Far | Ordered | OnTheWay | Context | Ahead | Again


def size_of(spec: Spec) -> int:
    """Return the number of frames of a group."""
    match spec:
        case Near(base=base):
            return base.num
        case Ahead(horizons=horizons, num=num):
            return len(horizons) if num is None else num
        case _:
            return spec.num


def min_frames_of(spec: Spec) -> int:
    """Return how long an episode must be for every place of the group to be valid in some draw."""
    match spec:
        case Spread():
            return 1
        case Near() | Far() | OnTheWay():
            return 2
        case Ordered():
            return 3
        case Context(num=num, frame_stride=frame_stride):
            return (num - 1) * frame_stride + 1
        case Ahead(base=base, horizons=horizons):
            return min_frames_of(base) + horizons[-1]
        case Again(base=base):
            return min_frames_of(base)


def _require(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise ConfigError(f"{name} must be {allowed}, got {value}")
