"""Pick a decoder for a file: decord where it can be trusted, then PyAV, then OpenCV."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Literal

import av
import numpy as np

from robossl.data.video.decord_reader import DecordReader
from robossl.data.video.opencv_reader import OpenCVReader
from robossl.data.video.pyav_reader import PyAVReader
from robossl.data.video.reader import VideoReader
from robossl.data.video.scan import VideoScan, display_matrix, is_mirrored, scan_video
from robossl.errors import RobosslError, VideoReadError

Decoder = Literal["auto", "decord", "pyav", "opencv"]
DECODERS = ("auto", "decord", "pyav", "opencv")
logger = logging.getLogger(__name__)

# decord 0.6 was measured right on these, and silently wrong on random access in variable-rate files and program streams
DECORD_CONTAINERS = ("mp4", "matroska")
DECORD_CODECS = ("h264", "hevc", "vp8", "vp9")
# decord hides damage that PyAV reports, so a file up to this size is decoded once before decord gets it (some 0.2 s);
# in a larger one, damage between the three compared frames may show as a garbled frame
MAX_CHECKED_PIXELS = 50_000_000
MAX_MEAN_DIFFERENCE = 4.0  # grey levels between two decoders' colour conversions; another frame differs by more


def open_video(path: str | Path, *, decoder: Decoder = "auto") -> VideoReader:
    """Open a video file.

    Args:
        path: the file; anything that FFmpeg reads, GIFs too.
        decoder: "auto" takes decord if the file is of a kind that it reads right and three frames agree with PyAV's
            (checked once a process; a small file is decoded once to find damage), else PyAV, and OpenCV where PyAV
            lacks the codec. Else exactly the one named.

    Raises:
        VideoReadError: the file can't be read.
        RobosslError: `decoder` is not known or not installed.
    """
    path = Path(path)
    if decoder not in DECODERS:
        raise RobosslError(f"decoder={decoder!r} is not known, allowed are {', '.join(DECODERS)}")
    if not path.is_file():
        raise VideoReadError(path, "there is no such file")
    if decoder == "auto":
        status = path.stat()
        return _open_with(_choose(path, status.st_mtime_ns, status.st_size), path)
    return _open_with(decoder, path)


def _open_with(decoder: str, path: Path) -> VideoReader:
    try:
        match decoder:
            case "decord":
                return DecordReader(path)
            case "opencv":
                return OpenCVReader(path)
            case _:
                return PyAVReader(path)
    except ImportError as error:
        raise RobosslError(f"decoder {decoder!r} is not usable here ({error}); use decoder='pyav'") from error


@lru_cache(maxsize=4096)
def _choose(path: Path, mtime_ns: int, size: int) -> str:
    """Return the decoder for a file; decided once for each content in a process, and said once."""
    try:
        reason = _decord_problem(path, scan_video(path))
    except av.DecoderNotFoundError:
        logger.info("%s: read with OpenCV, since PyAV has no decoder for it", path)
        return "opencv"
    if reason:
        logger.info("%s: read with PyAV instead of decord, since %s", path, reason)
    return "pyav" if reason else "decord"


def _decord_problem(path: Path, scan: VideoScan) -> str:
    """Return why decord must not read a file, or an empty text."""
    if not any(name in scan.container for name in DECORD_CONTAINERS):
        return f"containers like {scan.container} are not safe in decord"
    if scan.codec not in DECORD_CODECS:
        return f"decord has no safe decoder for {scan.codec}"
    if scan.times is None or not scan.constant_rate:
        return "decord returns wrong frames where the frame rate varies"
    if scan.num_video_streams > 1:
        return "decord picks another one of several video streams"
    return _disagreement(path, len(scan.times))


def _disagreement(path: Path, num_frames: int) -> str:
    """Compare last, middle and first frame of both decoders, in this order since decord fails on going back."""
    if _first_frame_is_mirrored(path):
        return "decord loses the mirror of its display matrix"
    numbers = sorted({0, num_frames // 2, num_frames - 1}, reverse=True)
    oracle = PyAVReader(path)
    truth = {number: oracle.read([number])[0] for number in sorted(numbers)}  # a fault here is a fault of the file
    if num_frames * truth[0][0].size <= MAX_CHECKED_PIXELS:
        oracle.check()
    oracle.close()
    try:
        reader = DecordReader(path)
        if reader.num_frames != num_frames:
            return f"decord counts {reader.num_frames} frames, the file has {num_frames}"
        for number in numbers:
            image = reader.read([number])[0]
            if image.shape != truth[number].shape:
                return f"decord's frames have the shape {image.shape}, expected {truth[number].shape}"
            if np.abs(image.astype(np.int16) - truth[number]).mean() > MAX_MEAN_DIFFERENCE:
                return f"decord's frame {number} differs"
    except ImportError:
        return "decord is not installed"
    except VideoReadError as error:
        return str(error)
    return ""


def _first_frame_is_mirrored(path: Path) -> bool:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0), None)
        return frame is not None and is_mirrored(display_matrix(frame))
