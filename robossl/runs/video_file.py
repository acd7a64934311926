"""Videos that browsers play: H.264 in MP4; written, and their first frame read."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

_CRF = "20"
"""Constant quality of x264: no visible loss at the sizes that policies see."""
_SMALLEST_PX = 256
"""Shorter sides are enlarged by a whole factor, so that 64 px frames can be looked at."""


def write_mp4(path: Path, frames: UInt8[np.ndarray, "T H W C"], *, fps_hz: float) -> None:
    """Write RGB frames; small ones are enlarged without smoothing, odd sides lose their last row or column.

    Raises:
        ValueError: The frames are not uint8 [T,H,W,3] with T at least 1.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or not len(frames):
        raise ValueError(f"frames must be uint8 [T,H,W,3], not {frames.dtype} {list(frames.shape)}")
    factor = max(1, _SMALLEST_PX // min(frames.shape[1:3]))
    frames = frames.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = (size // 2 * 2 for size in frames.shape[1:3])
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps_hz).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": _CRF}
        for frame in frames[:, :height, :width]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())


def first_frame(path: Path) -> UInt8[np.ndarray, "H W 3"] | None:
    """Return the first frame of a video, or None where it can't be read."""
    try:
        with av.open(str(path)) as container:
            return next(container.decode(video=0)).to_ndarray(format="rgb24")
    except (av.FFmpegError, OSError, IndexError, StopIteration):
        return None
