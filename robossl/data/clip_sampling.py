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
from functools import cached_property, partial

import numpy as np

from robossl.data.clip_specs import Again, Ahead, Context, Draw, Far, Near, Spec, Spread, min_frames_of, size_of
from robossl.data.static_frames import StaticFrames, thinned


@dataclass(frozen=True, kw_only=True)
class Window:
    """Named frame groups, how many views of them are needed, and how many actions go with each frame."""

    specs: tuple[tuple[str, Spec], ...]
    """(group name, spec), in the order of the frames in a clip."""
    num_views: int = 1
    action_steps: int = 1
    """Actions from each frame on that a clip carries, joined."""

    @cached_property
    def groups(self) -> dict[str, slice]:
        """Group name to its half-open range on the T axis; groups with equal specs are the same range."""
        ranges: dict[Spec, slice] = {}
        for _, spec in self.specs:
            if spec not in ranges:
                start = max((r.stop for r in ranges.values()), default=0)
                ranges[spec] = slice(start, start + size_of(spec))
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
        return max(min_frames_of(spec) for _, spec in self.specs)

    def sample(
        self, num_frames: int, fps_hz: float, *, seed: Sequence[int], static: StaticFrames | None = None
    ) -> Draw:
        """Draw the T frames of one item.

        Args:
            num_frames: of the episode, at least 1.
            fps_hz: of the episode.
            seed: non-negative numbers that name the item; each spec draws from a stream of its own, so that adding a
                group moves no other.
            static: where nothing moves; such frames are drawn less often, see `thinned`.
        """
        drawn: dict[Spec, Draw] = {}
        for spec, stream in self._streams:
            draw = partial(_draw, spec, num_frames, fps_hz, drawn, [*seed, stream])
            drawn[spec] = draw(0) if static is None else thinned(spec, draw, static, drawn, seed=[*seed, stream])
        own = [drawn[spec] for spec in self._own]
        return Draw(
            indices=np.concatenate([draw.indices for draw in own]).astype(np.int64, copy=False),
            valid=np.concatenate([draw.valid for draw in own]),
        )

    @cached_property
    def _own(self) -> tuple[Spec, ...]:
        """The specs in order, each once."""
        return tuple(dict.fromkeys(spec for _, spec in self.specs))

    @cached_property
    def _streams(self) -> tuple[tuple[Spec, int], ...]:
        """Every spec behind the one that it is based on, and the number of its stream of chance."""
        found: dict[Spec, int] = {}
        for spec in self._own:
            for one in reversed(_with_bases(spec)):
                found.setdefault(one, zlib.crc32(repr(one).encode()))
        return tuple(found.items())


def _draw(
    spec: Spec, num_frames: int, fps_hz: float, drawn: Mapping[Spec, Draw], seed: Sequence[int], attempt: int
) -> Draw:
    """Draw once; the first attempt has the number 0."""
    generator = partial(np.random.default_rng, [*seed, attempt] if attempt else seed)
    return spec.draw(num_frames, fps_hz, drawn, generator)


def _with_bases(spec: Spec) -> list[Spec]:
    return [spec, *_with_bases(spec.base)] if isinstance(spec, Near | Far | Ahead | Again) else [spec]


def pair_window(*, num_anchors: int, positive_window_s: float, num_views: int = 1) -> Window:
    """`anchor` and `positive` for time contrast: anchors spread over one episode, a near frame for each."""
    anchors = Spread(num_anchors)
    return Window(specs=(("anchor", anchors), ("positive", Near(anchors, positive_window_s))), num_views=num_views)


def instant_window(*, num_instants: int, num_views: int) -> Window:
    """`anchor`: instants spread over one episode, each seen in all views."""
    return Window(specs=(("anchor", Spread(num_instants)),), num_views=num_views)


def sequence_window(
    *,
    num_context: int,
    horizons: Sequence[int],
    frame_stride: int = 1,
    num_targets: int | None = None,
    num_views: int = 1,
) -> Window:
    """`context` in a row, and `target` frames `horizons` source frames after its last one, with all actions between."""
    horizons = tuple(horizons)
    context = Context(num_context, frame_stride, max(horizons, default=0))
    return Window(
        specs=(("context", context), ("target", Ahead(context, horizons, num_targets))),
        num_views=num_views,
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
