"""What is wrong with one video file."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from robossl.data.doctor.findings import Finding
from robossl.data.video.check import check_decoder, check_every_frame
from robossl.data.video.file_check import FileCheck
from robossl.data.video.scan import VideoScan, display_matrix, is_mirrored, scan_video, video_stream
from robossl.errors import VideoReadError

MAX_START_S = 0.001
UNSTEADY = 0.05  # of a frame's length; clocks that count milliseconds stay below at 30 Hz and above


def examine_video(path: Path, *, where: str) -> Iterator[Finding]:
    """Decode a file as a whole and yield what is wrong with it."""
    try:
        check, scan = check_every_frame(path), scan_video(path)
    except VideoReadError as error:
        yield Finding(kind="unreadable_video", where=where, what=error.reason)
        return
    except av.DecoderNotFoundError:
        yield Finding(kind="unreadable_video", where=where, what="FFmpeg has no decoder for it")
        return
    yield from _faults(check, scan, where)
    yield from _remarks(path, scan, where)


def _faults(check: FileCheck, scan: VideoScan, where: str) -> Iterator[Finding]:
    if check.damage:
        kept = f"{check.num_frames} of {check.num_promised} frames can be read, then: {check.damage}"
        yield Finding(kind="damaged_video", where=where, what=kept)
    elif check.num_frames < check.num_promised:
        counts = f"{check.num_frames} frames, but it says {check.num_promised}"
        yield Finding(kind="wrong_declared_count", where=where, what=counts)
    if scan.times is None:
        yield Finding(kind="no_frame_times", where=where, what="times are missing, doubled or out of order")
    elif not is_steady(scan):
        steps_s = np.diff(scan.times) * scan.tick_s
        what = f"frames last from {1000 * steps_s.min():.0f} to {1000 * steps_s.max():.0f} ms"
        yield Finding(kind="variable_frame_rate", where=where, what=what)


def is_steady(scan: VideoScan) -> bool:
    """Return whether all frames last equally long, but for the rounding of the clock; true where no times are known."""
    if scan.times is None or len(scan.times) < 3:
        return True
    steps = np.diff(scan.times)
    return int(steps.max() - steps.min()) <= max(1.0, UNSTEADY * float(np.median(steps)))


def _remarks(path: Path, scan: VideoScan, where: str) -> Iterator[Finding]:
    if scan.num_video_streams > 1:
        yield Finding(kind="several_video_streams", where=where, what=f"{scan.num_video_streams} video streams")
    try:
        problem = check_decoder(path, "decord")
    except ImportError:
        problem = ""
    if problem:
        yield Finding(kind="decord_is_wrong", where=where, what=problem)
    if scan.times is not None and abs(float(scan.times[0]) * scan.tick_s) > MAX_START_S:
        yield Finding(kind="start_offset", where=where, what=f"it starts at {scan.times[0] * scan.tick_s:.3f} s")
    matrix = _first_matrix(path)
    if matrix is not None and not np.array_equal(matrix, np.eye(2)):
        yield Finding(kind="turned", where=where, what="a mirroring" if is_mirrored(matrix) else "a rotation")


def _first_matrix(path: Path) -> np.ndarray | None:
    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video_stream(container, path)), None)
            return None if frame is None else display_matrix(frame)
    except (av.FFmpegError, ValueError):
        return None
