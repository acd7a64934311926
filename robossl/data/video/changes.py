"""How much each frame of a video differs from those before it, measured once on small pictures."""

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from robossl.data.cache_dir import cache_dir
from robossl.data.video.kept import content_name, keep
from robossl.data.video.open import open_video

VERSION = "changes 1"  # raise it when other numbers come out
SIZE = (36, 48)
BLOCK_FRAMES = 64
LAG_S = 0.5
STRONGEST = 0.01
"""Part of the pixels, those that change most, whose least change counts: a small thing that moves is seen."""
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)[:, None, None]
_SMOOTH = 4.0
"""Variance [grey levels^2] that is added to a picture's own, so that the noise of an empty one is no structure."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """Numbers of each of n frames beside those before it, in grey levels; those of the first frame are 0."""

    fps_hz: float
    change: Float32[np.ndarray, " n"]
    """Mean difference from the frame before."""
    likeness: Float32[np.ndarray, " n"]
    """Correlation with the frame before, -1 to 1, which light that changes everywhere leaves as it is; 1 at first."""
    step: Float32[np.ndarray, " n"]
    """Difference from the frame before that 1 % of the pixels exceed."""
    lagged: Float32[np.ndarray, " n"]
    """The same from the frame half a second before; infinite where there is none."""

    @property
    def lag(self) -> int:
        """Frames in half a second, at least 1."""
        return lag_frames(self.fps_hz)

    def part(self, start: int, stop: int) -> "Changes":
        """Return the numbers of frames `start` to `stop` - 1, as if the video held no others."""
        one = slice(start, stop)
        parts = {name: getattr(self, name)[one].copy() for name in ("change", "likeness", "step", "lagged")}
        parts["change"][:1], parts["step"][:1], parts["likeness"][:1], parts["lagged"][: self.lag] = 0, 0, 1, np.inf
        return Changes(fps_hz=self.fps_hz, **parts)


def lag_frames(fps_hz: float) -> int:
    """Return how many frames half a second is, at least 1."""
    return max(1, round(LAG_S * fps_hz))


def changes_of(path: Path) -> Changes:
    """Return the numbers of a video; it is decoded once from front to back, and they are kept by its content.

    Of a damaged file, those of the frames before the damage. Kept in `$ROBOSSL_CACHE/videos`.

    Raises:
        VideoReadError: it can't be read.
    """
    status = path.stat()
    return _changes(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _changes(path: Path, mtime_ns: int, size: int) -> Changes:
    record = cache_dir("videos") / f"{content_name(path, VERSION)}.npz"
    try:
        with np.load(record) as stored:
            return Changes(fps_hz=float(stored["fps_hz"]), **{name: stored[name] for name in _ARRAYS})
    except (OSError, ValueError, KeyError):  # never looked at
        found = _measured(path)
    content = io.BytesIO()
    np.savez_compressed(content, fps_hz=found.fps_hz, **{name: getattr(found, name) for name in _ARRAYS})
    keep(record, content.getvalue(), about=path)
    return found


_ARRAYS = ("change", "likeness", "step", "lagged")


def _measured(path: Path) -> Changes:
    reader = open_video(path, decoder="auto" if path.is_dir() else "pyav", damaged="keep_prefix")
    num, lag = reader.num_frames, lag_frames(reader.fps_hz)
    change, step = np.zeros(num, dtype=np.float32), np.zeros(num, dtype=np.float32)
    likeness, lagged = np.ones(num, dtype=np.float32), np.full(num, np.inf, dtype=np.float32)
    before: UInt8[np.ndarray, "b 3 h w"] = np.zeros((0, 3, *SIZE), dtype=np.uint8)
    try:
        for start in range(0, num, BLOCK_FRAMES):
            new = reader.read_scaled(range(start, min(start + BLOCK_FRAMES, num)), SIZE)
            frames = np.concatenate([before, new])  # the last ones of the block before, then the new ones
            old, stop = len(before), start + len(new)
            colour, grey = frames.astype(np.float32), (frames * _GREY).sum(axis=1)
            first, late = max(old, 1), max(old, lag)  # the very first frames have none before them
            ones, late_ones = slice(stop - len(frames) + first, stop), slice(stop - len(frames) + late, stop)
            if len(frames) > first:
                change[ones] = np.abs(colour[first:] - colour[first - 1 : -1]).mean(axis=(1, 2, 3))
                likeness[ones] = _correlation(grey[first:], grey[first - 1 : -1])
                step[ones] = _strongest(grey[first:] - grey[first - 1 : -1])
            if len(frames) > late:
                lagged[late_ones] = _strongest(grey[late:] - grey[late - lag : -lag])
            before = frames[-lag:]
    finally:
        reader.close()
    return Changes(fps_hz=reader.fps_hz, change=change, likeness=likeness, step=step, lagged=lagged)


def _strongest(difference: Float32[np.ndarray, "b h w"]) -> Float32[np.ndarray, " b"]:
    flat = np.abs(difference).reshape(len(difference), -1)
    place = flat.shape[1] - 1 - int(STRONGEST * flat.shape[1])
    return np.partition(flat, place, axis=1)[:, place]


def _correlation(one: Float32[np.ndarray, "b h w"], other: Float32[np.ndarray, "b h w"]) -> Float32[np.ndarray, " b"]:
    one, other = (x - x.mean(axis=(1, 2), keepdims=True) for x in (one, other))
    shared = (one * other).mean(axis=(1, 2)) + _SMOOTH
    return shared / np.sqrt(
        (np.square(one).mean(axis=(1, 2)) + _SMOOTH) * (np.square(other).mean(axis=(1, 2)) + _SMOOTH)
    )
