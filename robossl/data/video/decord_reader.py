"""decord as a VideoReader. Use it through `open_video`, which knows the files that it reads wrongly."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from robossl.data.video.reader import Indices, checked_indices
from robossl.errors import VideoReadError


class DecordReader:
    """Reads with decord on one thread. See `VideoReader`.

    Raises:
        ImportError: decord is not installed (it has wheels for x86-64 only).
    """

    def __init__(self, path: str | Path) -> None:
        import decord

        self.path = Path(path)
        self._error = decord.DECORDError
        try:
            self._reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
            self.num_frames = len(self._reader)
            self.fps_hz = float(self._reader.get_avg_fps())
        except (decord.DECORDError, RuntimeError) as error:
            raise VideoReadError(path, f"decord can't open it ({_first_line(error)})") from error

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        numbers = checked_indices(self.path, indices, self.num_frames)
        if self._reader is None:
            raise VideoReadError(self.path, "the reader is closed", numbers[0])
        try:
            frames = self._reader.get_batch(numbers).asnumpy()
        except (self._error, RuntimeError, IndexError) as error:
            raise VideoReadError(self.path, f"decord failed ({_first_line(error)})", numbers[0]) from error
        return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))

    def close(self) -> None:
        """Free the decoder."""
        self._reader = None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1][:200] if str(error).strip() else type(error).__name__
