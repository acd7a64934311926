"""Open a video: checked once, read by a decoder that tells the truth about it."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Literal

import av

from robossl.data.video.check import check_decoder, check_every_frame, check_file
from robossl.data.video.checked_reader import CheckedReader
from robossl.data.video.file_check import FileCheck
from robossl.data.video.image_folder import RATE_HZ, ImageFolderReader
from robossl.data.video.opencv_reader import OpenCVReader
from robossl.errors import RobosslError, VideoReadError, closest

DecoderName = Literal["auto", "decord", "pyav", "opencv", "torchcodec"]
DECODERS = ("auto", "decord", "pyav", "opencv", "torchcodec")
Damaged = Literal["strict", "keep_prefix"]
DAMAGED = ("strict", "keep_prefix")
MAX_SLOWDOWN = 1.5
"""decord is left where PyAV gives the very same frames this many times faster."""
MAX_SLOWDOWN_OTHERS = 12.0
"""The same where the frames differ by rounding, so that they would depend on what was measured; below `QUICK_S` PyAV's
time counts as that."""
QUICK_S = 0.001
logger = logging.getLogger(__name__)


def open_video(path: str | Path, *, decoder: DecoderName = "auto", damaged: Damaged = "strict") -> CheckedReader:
    """Open a video file, a GIF or a folder of numbered pictures.

    A file is checked when it is first seen, and the result kept by its content: frame count, order and times by its
    packets; a small file is decoded once, of a large one at most 16 frames; and whether decord's frames are PyAV's.

    Args:
        path: anything that FFmpeg reads.
        decoder: "auto" takes decord, in a process of its own, where it tells the truth about this file and is not
            the slower one; else PyAV, and OpenCV where PyAV lacks the codec. Else exactly the one named.
        damaged: "strict" refuses a truncated or corrupt file by name; "keep_prefix" reads the frames before the damage.
            Damage that was not seen before is an error of `read`, never another frame.

    Raises:
        VideoReadError: the file can't be read, or the decoder named is wrong on it.
        RobosslError: `decoder` or `damaged` is not known, or the decoder not installed.
    """
    path = Path(path)
    if decoder not in DECODERS:
        raise RobosslError(f"decoder={decoder!r} is not known, allowed are {', '.join(DECODERS)}")
    if damaged not in DAMAGED:
        hint = closest(damaged, DAMAGED)
        raise RobosslError(f"damaged={damaged!r} is not known, allowed are {', '.join(DAMAGED)}{hint}")
    if path.is_dir():
        return CheckedReader(path, decoder="images", num_frames=ImageFolderReader(path).num_frames, fps_hz=RATE_HZ)
    try:
        check = check_file(path)
        if check.damage and not check.every_frame and damaged == "keep_prefix":
            check = check_every_frame(path)
        if check.damage and (damaged == "strict" or not check.num_frames):
            raise VideoReadError(path, f"{check.damage}{_way_out(check.num_frames)}", check.num_frames)
        name = _chosen(path) if decoder == "auto" else _admitted(path, decoder)
    except av.DecoderNotFoundError:
        return _by_opencv(path)
    return CheckedReader(
        path,
        decoder=name,
        num_frames=check.num_frames,
        fps_hz=check.fps_hz,
        damage=check.damage,
        only=decoder != "auto",
    )


def _way_out(num_frames: int) -> str:
    return f"; damaged='keep_prefix' reads the {num_frames} frames before" if num_frames else ""


def _chosen(path: Path) -> str:
    try:
        reason = check_decoder(path, "decord")
    except ImportError as error:
        reason = str(error)
    reason = reason or _slow(check_file(path))
    if reason:
        _say_once(path, f"read with PyAV instead of decord, since {reason}")
    return "pyav" if reason else "decord"


def _slow(known: FileCheck) -> str:
    """Return that decord is too slow on a file that it may read, or an empty text."""
    decord_s, pyav_s = known.seek_s["decord"], known.seek_s["pyav"]
    same = not known.difference["decord"]
    limit_s = MAX_SLOWDOWN * pyav_s if same else MAX_SLOWDOWN_OTHERS * max(QUICK_S, pyav_s)
    return f"decord takes {1000 * decord_s:.1f} ms a frame and PyAV {1000 * pyav_s:.1f}" if decord_s > limit_s else ""


def _admitted(path: Path, decoder: str) -> str:
    try:
        problem = check_decoder(path, decoder)
    except ImportError as error:
        raise RobosslError(f"decoder {decoder!r} is not usable here ({error}); use decoder='pyav'") from error
    if problem:
        raise VideoReadError(path, f"{problem}; use decoder='auto'")
    return decoder


def _by_opencv(path: Path) -> CheckedReader:
    """Read what PyAV has no decoder for; there is nothing to compare with."""
    _say_once(path, "read with OpenCV and unchecked, since PyAV has no decoder for it")
    try:
        opened = OpenCVReader(path)
    except ImportError as error:
        raise VideoReadError(path, f"PyAV has no decoder for it, and OpenCV is not usable here ({error})") from error
    opened.close()
    return CheckedReader(path, decoder="opencv", num_frames=opened.num_frames, fps_hz=opened.fps_hz, only=True)


@lru_cache(maxsize=4096)
def _say_once(path: Path, text: str) -> None:
    logger.info("%s: %s", path, text)
