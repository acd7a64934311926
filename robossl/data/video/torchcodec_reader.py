"""torchcodec as a decoder: an extra, since it needs FFmpeg's own libraries beside it."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from robossl.data.video.reader import Indices, checked_indices
from robossl.data.video.scan import scan_video
from robossl.errors import VideoReadError

INSTALL = "pip install 'robossl[torchcodec]', and FFmpeg's libraries where the system has none"


class TorchCodecReader:
    """Reads with torchcodec's exact seek. See `Decoder`.

    Raises:
        ImportError: torchcodec is not installed, or finds no libraries of FFmpeg.
        VideoReadError: it can't open the file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            from torchcodec.decoders import VideoDecoder  # here, since it is an extra
        except (ImportError, OSError, RuntimeError) as error:
            reason = "is not installed" if isinstance(error, ModuleNotFoundError) else "finds no libraries of FFmpeg"
            raise ImportError(f"torchcodec {reason}; {INSTALL}") from error
        try:
            self._decoder: Any = VideoDecoder(self.path, stream_index=scan_video(self.path).stream)
            self.num_frames = len(self._decoder)
        except (RuntimeError, ValueError, TypeError) as error:
            raise VideoReadError(self.path, f"torchcodec can't open it ({_first_line(error)})") from error

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        numbers = checked_indices(self.path, indices, self.num_frames)
        if self._decoder is None:
            raise VideoReadError(self.path, "it is closed", numbers[0])
        try:
            frames: np.ndarray = self._decoder.get_frames_at(numbers).data.numpy()
        except (RuntimeError, IndexError) as error:
            raise VideoReadError(self.path, f"torchcodec can't decode it ({_first_line(error)})", numbers[0]) from error
        return frames

    def close(self) -> None:
        """Free the decoder."""
        self._decoder = None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
