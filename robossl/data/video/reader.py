"""The contract of a video that is read: exact frames by number or by time, or an error that names the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float64, UInt8

from robossl.errors import VideoReadError

Indices = Sequence[int] | np.ndarray


class Decoder(Protocol):
    """One library with a file open, in the process that uses it; decoders don't survive a fork."""

    num_frames: int
    """Frames in the file, in the order in which they are shown."""

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        ...

    def close(self) -> None:
        """Free the decoder; closing twice is fine."""
        ...


class VideoReader(Protocol):
    """A video that is read; made by `open_video`. It may be pickled and used after a fork."""

    @property
    def num_frames(self) -> int:
        """Frames that can be read, in the order in which they are shown."""
        ...

    @property
    def fps_hz(self) -> float:
        """Mean frame rate."""
        ...

    @property
    def times_s(self) -> Float64[np.ndarray, " n"]:
        """When each frame appears, counted from the first one; never falling."""
        ...

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return the frames with these numbers, upright RGB, in the order asked for; a number may come twice.

        Raises:
            VideoReadError: a number is outside [0, num_frames), or a frame can't be decoded.
        """
        ...

    def read_scaled(self, indices: Indices, size: tuple[int, int]) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at the size (H, W), about a grey level off `robossl.resize.resize` but faster; see `read`."""
        ...

    def read_at(self, timestamps_s: Sequence[float] | np.ndarray) -> UInt8[np.ndarray, "n C H W"]:
        """Return the frames that are on the screen at these times, counted from the first frame.

        A time up to 1 ms before a frame counts as that frame's, since float32 blurs times.

        Raises:
            VideoReadError: a time is before the first frame or after the last one has ended.
        """
        ...

    def close(self) -> None:
        """Free the decoder; closing twice is fine, and reading opens it again."""
        ...


def checked_indices(path: Path, indices: Indices, num_frames: int) -> list[int]:
    """Return the indices as ints.

    Raises:
        VideoReadError: one is outside [0, num_frames), or there is none.
    """
    numbers = [int(index) for index in indices]
    if not numbers:
        raise VideoReadError(path, "no frame was asked for")
    for number in numbers:
        if not 0 <= number < num_frames:
            raise VideoReadError(path, f"it has frames 0 to {num_frames - 1}", number)
    return numbers


def stacked(images: Sequence[np.ndarray]) -> UInt8[np.ndarray, "n C H W"]:
    """Stack images [H, W, C] into [n, C, H, W]."""
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))
