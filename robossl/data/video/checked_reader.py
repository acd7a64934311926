"""The reader that `open_video` returns: a checked file, opened where and when it is read."""

import gc
import logging
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from robossl.data.video.check import distrust, open_decoder
from robossl.data.video.pyav_reader import PyAVReader
from robossl.data.video.reader import Decoder, Indices, checked_indices
from robossl.data.video.scan import scan_video
from robossl.errors import VideoReadError
from robossl.resize import resize

logger = logging.getLogger(__name__)
_inherited: list[Decoder | None] = []
"""Decoders of the parent, after a fork: freeing one waits for its threads, which are not here."""
EARLY_S = 0.001  # a time this little before a frame counts as the frame's: float32 blurs times


class CheckedReader:
    """A `VideoReader` of one file. Where its decoder fails, PyAV takes over, unless the decoder was asked for by name.

    Args:
        path: the file.
        decoder: pyav, decord, opencv, torchcodec, or images for a folder of them.
        num_frames, fps_hz: as checked.
        damage: why the frames end before the file does.
        only: never change to PyAV.
    """

    def __init__(
        self, path: Path, *, decoder: str, num_frames: int, fps_hz: float, damage: str = "", only: bool = False
    ) -> None:
        self.path, self.decoder, self.num_frames, self.fps_hz = path, decoder, num_frames, fps_hz
        self.damage, self._only = damage, only
        self._decoder: Decoder | None = None
        self._owner = os.getpid()

    @cached_property
    def times_s(self) -> Float64[np.ndarray, " n"]:
        """When each frame appears, counted from the first one; never falling."""
        if self.decoder == "pyav":  # it may have counted
            opened = self._opened()
            assert isinstance(opened, PyAVReader)
            return opened.times_s[: self.num_frames]
        times_s = None if self.decoder == "images" else scan_video(self.path).times_s
        return np.arange(self.num_frames) / self.fps_hz if times_s is None else times_s[: self.num_frames]

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        return self._read(checked_indices(self.path, indices, self.num_frames))

    def read_scaled(self, indices: Indices, size: tuple[int, int]) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at the size (H, W), about a grey level off `robossl.resize.resize` but faster; see `read`.

        PyAV scales while it decodes; the frames of other decoders are resized.
        """
        numbers = checked_indices(self.path, indices, self.num_frames)
        opened = self._opened()
        if isinstance(opened, PyAVReader):
            return opened.read_scaled(numbers, size)
        return resize(torch.from_numpy(self._read(numbers)), size).numpy()

    def _read(self, numbers: list[int]) -> UInt8[np.ndarray, "n C H W"]:
        try:
            return self._opened().read(numbers)
        except VideoReadError as error:
            if self._only or self.decoder in ("pyav", "images"):
                raise
            logger.warning("%s; PyAV reads the file from now on", error)
            distrust(self.path, self.decoder, error.reason)
            self.close()
            self.decoder = "pyav"
            return self._opened().read(numbers)

    def read_at(self, timestamps_s: Sequence[float] | np.ndarray) -> UInt8[np.ndarray, "n C H W"]:
        """Return the frames on the screen at these times; see `VideoReader.read_at`."""
        return self.read(self.numbers_at(timestamps_s))

    def numbers_at(self, timestamps_s: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return which frames are on the screen at these times, int64 [n].

        Raises:
            VideoReadError: a time is before the first frame or after the last one has ended.
        """
        wanted_s, times_s = np.asarray(timestamps_s, dtype=np.float64), self.times_s
        end_s = float(times_s[-1]) + 1 / self.fps_hz
        outside = wanted_s[~((wanted_s > -EARLY_S) & (wanted_s < end_s))]
        if len(outside):
            raise VideoReadError(self.path, f"{outside[0]:.4f} s is outside of the video, which lasts {end_s:.4f} s")
        return np.searchsorted(times_s, wanted_s + EARLY_S, side="right") - 1

    def close(self) -> None:
        """Free the decoder."""
        if self._decoder is not None and self._owner == os.getpid():
            self._decoder.close()
            self._decoder = None

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the open file."""
        return self.__dict__ | {"_decoder": None}

    def _opened(self) -> Decoder:
        if self._owner != os.getpid():  # after a fork; what is open belongs to the parent
            _inherited.append(self._decoder)
            self._decoder, self._owner = None, os.getpid()
        if self._decoder is None:
            self._decoder = open_decoder(self.decoder, self.path)
        return self._decoder


# also what the parent has thrown away and not collected yet must not be freed here, see `_inherited`
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=gc.freeze, after_in_parent=gc.unfreeze)
