"""Which frames of an episode make one training item: pure index arithmetic, no decoder and no torch.

A window is a set of named frame groups. Each group follows a spec: a frozen value that draws indices from (number of
frames, frame rate, generator). Equal specs share one draw, so a union of windows decodes and encodes a shared group
once. Where an episode is too short, a place is filled with another frame of the episode and marked invalid; a valid
place always holds the frame that its index names.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from robossl.errors import ConfigError


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

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: np.random.Generator) -> Draw:
        """Return distinct instants in order of time; the last ones are fillers where the episode is too short."""
        if num_frames < self.num:
            return Draw(indices=np.minimum(np.arange(self.num), num_frames - 1), valid=np.arange(self.num) < num_frames)
        edges = np.arange(self.num + 1) * num_frames // self.num
        return Draw(indices=rng.integers(edges[:-1], edges[1:]), valid=np.ones(self.num, dtype=bool))


@dataclass(frozen=True)
class Near:
    """One frame for each instant of `base`, at most `window_s` away and never the instant itself."""

    base: Spread
    window_s: float

    def __post_init__(self) -> None:
        _require(self.window_s > 0, "positive_window_s", self.window_s, "more than 0 s")

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: np.random.Generator) -> Draw:
        """Return the neighbours; invalid where the base is, or where the episode has no other frame."""
        base = drawn[self.base]
        # at least the next frame: at a low frame rate the window may be shorter than a frame
        reach = max(1, int(self.window_s * fps_hz + 1e-6))
        start = np.maximum(base.indices - reach, 0)
        stop = np.minimum(base.indices + reach, num_frames - 1)  # one less than the neighbourhood: itself is left out
        possible = stop > start
        indices = rng.integers(start, np.maximum(stop, start + 1))
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

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: np.random.Generator) -> Draw:
        """Return the frames; where the context itself does not fit, its last frames are invalid fillers."""
        span = (self.num - 1) * self.frame_stride
        # an episode shorter than the context and its reach starts at its first frame
        start = rng.integers(0, max(1, num_frames - span - self.reach))
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

    def draw(self, num_frames: int, fps_hz: float, drawn: Mapping["Spec", Draw], rng: np.random.Generator) -> Draw:
        """Return the frames; invalid where they lie past the end, or where the context is not whole."""
        base = drawn[self.base]
        horizons = np.asarray(self.horizons)
        if self.num is not None and self.num < len(horizons):
            horizons = np.sort(rng.choice(horizons, self.num, replace=False))
        last = base.indices[0] + (self.base.num - 1) * self.base.frame_stride  # where the context would end
        indices = last + horizons
        return Draw(indices=np.minimum(indices, num_frames - 1), valid=(indices < num_frames) & bool(base.valid.all()))


Spec = Spread | Near | Context | Ahead


def _min_frames(spec: Spec) -> int:
    """Return how long an episode must be for every place of the group to be valid in some draw."""
    match spec:
        case Spread():
            return 1
        case Near():
            return 2
        case Context(num=num, frame_stride=frame_stride):
            return (num - 1) * frame_stride + 1
        case Ahead(base=base, horizons=horizons):
            return _min_frames(base) + horizons[-1]


def _size(spec: Spec) -> int:
    match spec:
        case Spread(num=num) | Context(num=num):
            return num
        case Near(base=base):
            return base.num
        case Ahead(horizons=horizons, num=num):
            return len(horizons) if num is None else num


@dataclass(frozen=True, kw_only=True)
class Window:
    """Named frame groups, how many views of them are needed, and how many actions go with each frame."""

    specs: tuple[tuple[str, Spec], ...]
    """(group name, spec), in the order of the frames in a clip."""
    num_views: int = 1
    action_steps: int = 1
    """Actions from each frame on that a clip carries, joined."""

    @property
    def groups(self) -> dict[str, slice]:
        """Group name to its half-open range on the T axis; groups with equal specs are the same range."""
        ranges: dict[Spec, slice] = {}
        for _, spec in self.specs:
            if spec not in ranges:
                start = max((r.stop for r in ranges.values()), default=0)
                ranges[spec] = slice(start, start + _size(spec))
        return {name: ranges[spec] for name, spec in self.specs}

    @property
    def augmentation_keys(self) -> dict[str, str]:
        """Group name to the group whose augmentation it shares: targets must look like their context."""
        names = {spec: name for name, spec in self.specs}
        return {name: names.get(spec.base, name) if isinstance(spec, Ahead) else name for name, spec in self.specs}

    @property
    def num_frames(self) -> int:
        """T."""
        return max(r.stop for r in self.groups.values())

    @property
    def min_frames(self) -> int:
        """Frames of the shortest episode in which each group can be drawn as it says."""
        return max(_min_frames(spec) for _, spec in self.specs)

    def sample(self, num_frames: int, fps_hz: float, *, seed: Sequence[int]) -> Draw:
        """Draw the T frames of one item.

        Args:
            num_frames: of the episode, at least 1.
            fps_hz: of the episode.
            seed: non-negative numbers that name the item; each spec draws from a stream of its own, so that adding a
                group moves no other.
        """
        drawn: dict[Spec, Draw] = {}
        for _, spec in self.specs:
            _draw_into(drawn, spec, num_frames, fps_hz, seed)
        own = {spec: drawn[spec] for _, spec in self.specs}  # in order, each once
        return Draw(
            indices=np.concatenate([draw.indices for draw in own.values()]).astype(np.int64),
            valid=np.concatenate([draw.valid for draw in own.values()]),
        )


def _draw_into(drawn: dict[Spec, Draw], spec: Spec, num_frames: int, fps_hz: float, seed: Sequence[int]) -> None:
    if spec in drawn:
        return
    if isinstance(spec, Near | Ahead):
        _draw_into(drawn, spec.base, num_frames, fps_hz, seed)
    rng = np.random.default_rng([*seed, zlib.crc32(repr(spec).encode())])
    drawn[spec] = spec.draw(num_frames, fps_hz, drawn, rng)


def pair_window(*, num_anchors: int, positive_window_s: float, num_views: int = 1) -> Window:
    """`anchor` and `positive` for time contrast: anchors spread over one episode, a near frame for each."""
    anchors = Spread(num_anchors)
    return Window(specs=(("anchor", anchors), ("positive", Near(anchors, positive_window_s))), num_views=num_views)


def instant_window(*, num_instants: int, num_views: int) -> Window:
    """`anchor`: instants spread over one episode, each seen in all views."""
    return Window(specs=(("anchor", Spread(num_instants)),), num_views=num_views)


def sequence_window(
    *, num_context: int, horizons: Sequence[int], frame_stride: int = 1, num_targets: int | None = None
) -> Window:
    """`context` in a row, and `target` frames `horizons` source frames after its last one, with all actions between."""
    horizons = tuple(horizons)
    context = Context(num_context, frame_stride, max(horizons, default=0))
    return Window(
        specs=(("context", context), ("target", Ahead(context, horizons, num_targets))),
        action_steps=max([frame_stride, *horizons]),
    )


def union_window(windows: Sequence[Window]) -> tuple[Window, list[dict[str, str]]]:
    """Join windows; groups with equal specs are shared.

    Returns:
        The union, and for each window its own group names to those of the union (`context`, then `context2`, ...).
    """
    names: dict[Spec, str] = {}
    renamings: list[dict[str, str]] = []
    for window in windows:
        renaming = {}
        for name, spec in window.specs:
            if spec not in names:
                taken = sum(other.rstrip("0123456789") == name for other in names.values())
                names[spec] = name if not taken else f"{name}{taken + 1}"
            renaming[name] = names[spec]
        renamings.append(renaming)
    union = Window(
        specs=tuple((name, spec) for spec, name in names.items()),
        num_views=max(window.num_views for window in windows),
        action_steps=max(window.action_steps for window in windows),
    )
    return union, renamings


def num_items(num_frames: int, window: Window) -> int:
    """How many items an episode counts for in one epoch: in proportion to its length, at least one."""
    return max(1, math.ceil(num_frames / window.num_frames))


def _require(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise ConfigError(f"{name} must be {allowed}, got {value}")
