"""What the packets of a file tell without decoding: frame count, times, key frames, and how the picture is turned."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from robossl.errors import VideoReadError


@dataclass(frozen=True, kw_only=True)
class VideoScan:
    """The packets of the first video stream, sorted by the time at which their frames are shown."""

    container: str
    codec: str
    num_video_streams: int
    times: tuple[int, ...] | None
    """Presentation times in ticks, rising; None where the file's times can't be trusted to number its frames."""
    key_indices: tuple[int, ...]
    """Frame numbers of the key frames; empty without trusted times."""
    fps_hz: float
    constant_rate: bool


def scan_video(path: Path) -> VideoScan:
    """Read all packets of a file; kept for as long as the file does not change.

    Raises:
        VideoReadError: the file can't be opened or holds no video.
    """
    if not path.is_file():
        raise VideoReadError(path, "there is no such file")
    status = path.stat()
    return _scan(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _scan(path: Path, mtime_ns: int, size: int) -> VideoScan:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise VideoReadError(path, "it holds no video stream")
            stream = container.streams.video[0]
            packets = [packet for packet in container.demux(stream) if packet.size]
            if not packets:
                raise VideoReadError(path, "its video stream is empty")
            found = [(packet.pts, bool(packet.is_keyframe)) for packet in packets]
            # frames that an edit list hides, missing times and doubled times all break "sorted time = frame number"
            trusted = not any(packet.is_discard or packet.pts is None for packet in packets)
            trusted = trusted and len({pts for pts, _ in found}) == len(found) and found[0][1]
            ordered = sorted(found) if trusted else found
            times = tuple(pts for pts, _ in ordered) if trusted else None
            keys = tuple(index for index, (_, key) in enumerate(ordered) if key) if trusted else ()
            return VideoScan(
                container=container.format.name,
                codec=stream.codec_context.name,
                num_video_streams=len(container.streams.video),
                times=times,
                key_indices=keys,
                fps_hz=_rate(stream, times, len(found)),
                constant_rate=_is_constant(times, stream),
            )
    except (av.FFmpegError, ValueError, EOFError) as error:
        raise VideoReadError(path, f"it can't be opened ({error_text(error)})") from error


def display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
    """Return the 2x2 part of the matrix that a player applies to the picture, entries in {-1, 0, 1}; None if none."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(bytes(data), dtype="<i4")[:5]
            return np.sign(np.array([[a, b], [c, d]]) >> 8).astype(int)
    return None


def upright(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Turn and mirror an image [H, W, C] by quarter turns as its display matrix says: (x, y) -> (ax + cy, bx + dy)."""
    if matrix is None:
        return image
    (a, b), (c, d) = matrix
    if a or d:
        flip_x, flip_y = a < 0, d < 0
    else:
        image, flip_x, flip_y = image.transpose(1, 0, 2), c < 0, b < 0
    return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def is_mirrored(matrix: np.ndarray | None) -> bool:
    """Whether the display matrix mirrors the picture."""
    return matrix is not None and int(np.linalg.det(matrix).round()) < 0


def _rate(stream: av.VideoStream, times: tuple[int, ...] | None, count: int) -> float:
    if times is not None and count > 1:  # the container's own average may be nonsense (1000 Hz in an FLV file)
        return float((count - 1) / ((times[-1] - times[0]) * stream.time_base))
    return float(stream.average_rate or stream.guessed_rate or 30)


def _is_constant(times: tuple[int, ...] | None, stream: av.VideoStream) -> bool:
    if times is None:
        return False
    steps = np.diff(times)
    return len(steps) == 0 or int(steps.max() - steps.min()) <= 1


def error_text(error: Exception) -> str:
    """Return what FFmpeg says, without the path that it repeats."""
    return str(getattr(error, "strerror", None) or error)
