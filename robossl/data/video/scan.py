"""What the packets of a file tell without decoding: frame count, times, key frames, and how the picture is turned."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float64, Int64

from robossl.errors import VideoReadError


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoScan:
    """The packets of the video stream that is read, sorted by the time at which their frames are shown."""

    container: str
    codec: str
    size: tuple[int, int]
    """Height and width [px] as stored, before turning."""
    stream: int
    """Index of the stream: the first one that is a video and no cover picture."""
    num_video_streams: int
    num_packets: int
    num_promised: int
    """Frames that a whole file would hold by what its header says, 0 where nothing reliable says it."""
    times: Int64[np.ndarray, " n"] | None
    """Presentation times in ticks, rising; None where the file's times can't be trusted to number its frames."""
    decode_places: Int64[np.ndarray, " n"] | None
    """Place of each frame in the order of decoding; None without trusted times."""
    key_indices: Int64[np.ndarray, " k"]
    """Frame numbers of the key frames; empty without trusted times."""
    tick_s: float
    fps_hz: float
    constant_rate: bool

    @property
    def times_s(self) -> Float64[np.ndarray, " n"] | None:
        """Presentation times counted from the first frame."""
        return None if self.times is None else (self.times - self.times[0]) * self.tick_s


def scan_video(path: Path) -> VideoScan:
    """Read all packets of a file; kept for as long as the file does not change.

    Raises:
        VideoReadError: the file can't be opened or holds no video.
    """
    if not path.is_file():
        raise VideoReadError(path, "there is no such file")
    status = path.stat()
    return _scan(path, status.st_mtime_ns, status.st_size)


def video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """Return the stream that is read: the first video; a picture of the cover is none.

    Raises:
        VideoReadError: there is none.
    """
    cover = av.stream.Disposition.attached_pic
    for stream in container.streams.video:
        if not stream.disposition & cover:
            return stream
    raise VideoReadError(path, "it holds no video stream")


@lru_cache(maxsize=256)
def _scan(path: Path, mtime_ns: int, size: int) -> VideoScan:
    try:
        with av.open(str(path)) as container:
            stream = video_stream(container, path)
            packets = [
                (packet.pts, bool(packet.is_keyframe), bool(packet.is_discard))
                for packet in container.demux(stream)
                if packet.size
            ]
            if not packets:
                raise VideoReadError(path, "its video stream is empty")
            times, places, keys = _numbered(packets)
            context = stream.codec_context
            return VideoScan(
                container=container.format.name,
                codec=context.name,
                size=(context.height, context.width),
                stream=stream.index,
                num_video_streams=len(container.streams.video),
                num_packets=len(packets),
                num_promised=_promised(container, stream, times, path),
                times=times,
                decode_places=places,
                key_indices=keys,
                tick_s=float(stream.time_base),
                fps_hz=_rate(stream, times),
                constant_rate=_is_constant(times),
            )
    except (av.FFmpegError, ValueError, EOFError) as error:
        hint = "; a recording that was cut off has lost its index" if path.suffix.lower() in (".mp4", ".mov") else ""
        raise VideoReadError(path, f"it can't be opened ({error_text(error)}{hint})") from error


def _numbered(
    packets: list[tuple[int | None, bool, bool]],
) -> tuple[Int64[np.ndarray, " n"] | None, Int64[np.ndarray, " n"] | None, Int64[np.ndarray, " k"]]:
    """Return times, places in the order of decoding and key frames, sorted by time.

    What an edit list hides is decoded but never shown, so it has no number. Missing and doubled times break "the frame
    of the n-th time is frame n": then nothing is returned.
    """
    shown = [(pts, place, key) for place, (pts, key, hidden) in enumerate(packets) if not hidden]
    known = [(pts, place, key) for pts, place, key in shown if pts is not None]
    if not shown or len({pts for pts, _, _ in known}) < len(shown) or not packets[0][1]:
        return None, None, np.zeros(0, dtype=np.int64)
    known.sort()
    times = np.array([pts for pts, _, _ in known], dtype=np.int64)
    places = np.array([place for _, place, _ in known], dtype=np.int64)
    return times, places, np.flatnonzero([key for _, _, key in known]).astype(np.int64)


def _promised(
    container: av.container.InputContainer, stream: av.VideoStream, times: Int64[np.ndarray, " n"] | None, path: Path
) -> int:
    """Return how many frames the file held before it was cut off, as far as its header says it; else 0."""
    name = container.format.name
    if "mp4" in name:
        return stream.frames  # the length of its index, always right
    if name == "avi" and _is_shorter_than_its_header_says(path):  # else the count may be wrong in a whole file
        return stream.frames
    if "matroska" in name and container.duration and len(container.streams) == 1 and times is not None:
        fps_hz = _rate(stream, times)
        num = round((container.duration / av.time_base - float(times[0] * stream.time_base)) * fps_hz)
        return num if num > len(times) + 3 else 0  # the header's time is rounded
    return 0


def _is_shorter_than_its_header_says(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(8)
    return head[:4] == b"RIFF" and int.from_bytes(head[4:], "little") + 8 > path.stat().st_size


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


def _rate(stream: av.VideoStream, times: Int64[np.ndarray, " n"] | None) -> float:
    if times is not None and len(times) > 1:  # the container's own average may be nonsense (1000 Hz in an FLV file)
        return float((len(times) - 1) / (int(times[-1] - times[0]) * stream.time_base))
    return float(stream.average_rate or stream.guessed_rate or 30)


def _is_constant(times: Int64[np.ndarray, " n"] | None) -> bool:
    if times is None:
        return False
    steps = np.diff(times)
    return len(steps) == 0 or int(steps.max() - steps.min()) <= 1


def error_text(error: Exception) -> str:
    """Return what FFmpeg says, without the path that it repeats."""
    return str(getattr(error, "strerror", None) or error)
