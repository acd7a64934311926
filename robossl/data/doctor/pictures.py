"""What the pictures of an episode look like, in few numbers, and what is wrong with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32, UInt8

from robossl.data.doctor.findings import Finding
from robossl.data.sources import EpisodeSource
from robossl.errors import DataError

BLOCK_FRAMES = 32
GRID = 16  # side of a thumbnail that is compared
BLACK = 20  # the brightest value of a black frame; video black is 16 in 8 bits
STILL_S = 0.5  # shorter standstills happen to every camera
MOVED = 0.1  # of the range of a state: a robot that moved this far is seen moving
SAME_SCENE = 6.0  # grey levels; thumbnails of different episodes of one scene differ by more
SAME_PIXEL = 12  # grey levels
SAME_SHARE = 1e-4  # of the pixels
TWIN = 1.0  # grey levels; what an encoder changes


@dataclass(frozen=True, kw_only=True)
class Look:
    """The pictures of one camera in one episode."""

    episode: int
    camera: str
    mean: Float32[np.ndarray, "3 g g"]
    """Of all thumbnails."""
    ends: Float32[np.ndarray, "2 3 g g"]
    """First and last thumbnail."""
    black: tuple[int, ...]
    same: np.ndarray
    """Whether frame k+1 shows what the frames before it showed, bool [L-1]."""
    sample: UInt8[np.ndarray, "3 H W"]
    """The frame in the middle."""


def look_at(source: EpisodeSource, episode: int, camera: str) -> Look:
    """Read all frames of an episode once.

    Raises:
        DataError: one can't be read.
    """
    length = int(source.lengths[episode])
    thumbnails, same, black = [], np.zeros(max(0, length - 1), dtype=bool), []
    anchor, sample = None, None
    for start in range(0, length, BLOCK_FRAMES):
        frames = source.frames(episode, np.arange(start, min(start + BLOCK_FRAMES, length)), camera)
        thumbnails.append(_thumbnails(frames))
        for number, frame in enumerate(frames, start=start):
            if anchor is not None and _shows_the_same(frame, anchor):
                same[number - 1] = True
            else:
                anchor = frame.copy()
            if frame[:, ::4, ::4].max() <= BLACK and frame.max() <= BLACK:
                black.append(number)
            sample = frame.copy() if number == length // 2 else sample
    all_of_them = np.concatenate(thumbnails)
    assert sample is not None
    return Look(
        episode=episode,
        camera=camera,
        mean=all_of_them.mean(axis=0),
        ends=all_of_them[[0, -1]],
        black=tuple(black),
        same=same,
        sample=sample,
    )


def _shows_the_same(frame: UInt8[np.ndarray, "3 H W"], other: UInt8[np.ndarray, "3 H W"]) -> bool:
    """Return whether hardly a pixel differs by more than an encoder changes it."""
    differs = (np.maximum(frame, other) - np.minimum(frame, other)).max(axis=0) > SAME_PIXEL
    return bool(differs.sum() <= SAME_SHARE * differs.size)


def _thumbnails(frames: UInt8[np.ndarray, "n 3 H W"]) -> Float32[np.ndarray, "n 3 g g"]:
    height, width = frames.shape[-2:]
    rows = np.linspace(0, height, GRID + 1).astype(int)[:-1]
    columns = np.linspace(0, width, GRID + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(frames.astype(np.float32), rows, axis=2), columns, axis=3)
    counts = np.diff([*rows, height])[:, None] * np.diff([*columns, width])[None, :]
    return (sums / np.maximum(counts, 1)).astype(np.float32)


def examine_look(look: Look, *, where: str, fps_hz: float, states: np.ndarray | None) -> Iterator[Finding]:
    """Yield what is wrong with the pictures of one episode; `states` are its rows [L, S], if there are any."""
    at = partial(Finding, where=where, episode=look.episode, camera=look.camera)
    if look.black:
        yield at(kind="black_frames", what=f"{len(look.black)} black frames", frame=look.black[0])
    for start, stop in _runs(look.same):
        if (stop - start) / fps_hz < STILL_S or stop - start < 3:
            continue
        if states is not None and _moves(states, start, stop):
            what = f"frames {start} to {stop} are one and the same while the state moves"
            yield at(kind="frozen_frames", what=what, frame=start)


def _runs(same: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield (first, last) frame of each stretch of equal frames."""
    edges = np.flatnonzero(np.diff([False, *same.tolist(), False]))
    yield from ((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _moves(states: np.ndarray, start: int, stop: int) -> bool:
    spread = np.ptp(states, axis=0)
    inside = np.ptp(states[start : stop + 1], axis=0)
    return bool((inside[spread > 0] > MOVED * spread[spread > 0]).any())


def compare_looks(looks: Sequence[Look]) -> Iterator[Finding]:
    """Yield what shows only beside other episodes: swapped cameras and mirrored twins."""
    yield from _swapped(looks)
    yield from _twins(looks)


def _swapped(looks: Sequence[Look]) -> Iterator[Finding]:
    cameras = sorted({look.camera for look in looks})
    by_place = {(look.episode, look.camera): look.mean for look in looks}
    episodes = sorted({look.episode for look in looks})
    if len(episodes) < 3:
        return
    usual = {c: np.median([by_place[e, c] for e in episodes if (e, c) in by_place], axis=0) for c in cameras}
    for one, other in ((a, b) for a in cameras for b in cameras if a < b):
        if _distance(usual[one], usual[other]) < SAME_SCENE:
            continue
        for episode in episodes:
            if (episode, one) not in by_place or (episode, other) not in by_place:
                continue
            first, second = by_place[episode, one], by_place[episode, other]
            straight = _distance(first, usual[one]) + _distance(second, usual[other])
            crossed = _distance(first, usual[other]) + _distance(second, usual[one])
            if crossed < 0.5 * straight:
                what = f"{one} shows what {other} shows elsewhere, and the other way round"
                yield Finding(
                    kind="swapped_cameras", where=f"episode {episode}", what=what, episode=episode, camera=one
                )


def _twins(looks: Sequence[Look]) -> Iterator[Finding]:
    for camera in sorted({look.camera for look in looks}):
        own = [look for look in looks if look.camera == camera]
        ends = np.stack([look.ends for look in own]) if own else np.zeros((0, 2, 3, GRID, GRID))
        for position, look in enumerate(own):
            flipped = np.abs(ends[:position] - look.ends[..., ::-1]).mean(axis=(2, 3, 4)).max(axis=1)
            plain = np.abs(ends[:position] - look.ends).mean(axis=(2, 3, 4)).max(axis=1)
            for twin in np.flatnonzero((flipped < TWIN) & (plain > SAME_SCENE))[:1]:
                what = f"{camera} is the mirror of episode {own[int(twin)].episode}"
                where = f"episode {look.episode}"
                yield Finding(kind="mirrored_twin", where=where, what=what, episode=look.episode, camera=camera)


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).mean())


def unreadable(error: DataError, *, where: str, episode: int, camera: str) -> Finding:
    """Return the finding for frames that can't be read."""
    return Finding(kind="unreadable_video", where=where, what=str(error), episode=episode, camera=camera)
