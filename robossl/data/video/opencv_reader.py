"""OpenCV as a VideoReader. It counts frames from the start, since its own seek is wrong with B-frames."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from robossl.data.video.reader import Indices, checked_indices, stacked
from robossl.errors import VideoReadError


class OpenCVReader:
    """Reads with cv2.VideoCapture, which turns frames upright itself but does not mirror them. See `VideoReader`.

    Raises:
        ImportError: cv2 is not installed, or misses a system library (libGL.so.1).
    """

    def __init__(self, path: str | Path) -> None:
        import cv2  # here, since cv2 needs a system library that not every machine has

        self._cv2 = cv2
        self.path = Path(path)
        self._capture = cv2.VideoCapture()
        self._position = 0
        self._restart()
        self.fps_hz = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.num_frames = self._count()  # the declared count may be missing or too high

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        numbers = checked_indices(self.path, indices, self.num_frames)
        found = {number: self._image(number) for number in sorted(set(numbers))}
        return stacked([found[number] for number in numbers])

    def close(self) -> None:
        """Free the decoder."""
        self._capture.release()

    def _image(self, number: int) -> np.ndarray:
        if number < self._position or not self._capture.isOpened():
            self._restart()
        while self._position < number:
            self._grab(number)
        self._grab(number)
        ok, image = self._capture.retrieve()
        if not ok:
            raise VideoReadError(self.path, "OpenCV can't decode it", number)
        return np.asarray(image[:, :, ::-1])  # BGR to RGB

    def _grab(self, number: int) -> None:
        if not self._capture.grab():
            raise VideoReadError(self.path, f"its data ends after frame {self._position - 1}", number)
        self._position += 1

    def _restart(self) -> None:
        self._capture.release()
        if not self._capture.open(str(self.path)):
            raise VideoReadError(self.path, "OpenCV can't open it")
        self._position = 0

    def _count(self) -> int:
        count = 0
        while self._capture.grab():
            count += 1
        if count == 0:
            raise VideoReadError(self.path, "OpenCV finds no frame in it")
        self._restart()
        return count
