"""The contract of every decoder: exact frames by number, or an error that names the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from robossl.errors import VideoReadError

Indices = Sequence[int] | np.ndarray


class VideoReader(Protocol):
    """An open video file. Open it in the process that uses it; decoders don't survive a fork."""

    @property
    def num_frames(self) -> int:
        """Frames in the file, in the order in which they are shown."""
        ...

    @property
    def fps_hz(self) -> float:
        """Mean frame rate."""
        ...

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return the frames with these numbers, upright RGB, in the order asked for; a number may come twice.

        Raises:
            VideoReadError: a number is outside [0, num_frames), or a frame can't be decoded.
        """
        ...

    def close(self) -> None:
        """Free the decoder; closing twice is fine."""
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
