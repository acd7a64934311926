"""Write H.264 files, and join them without encoding again."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import av
import numpy as np

from robossl.errors import DataError

CODEC = "libx264"
GOP_FRAMES = 2  # every second frame is a key frame, so that a random frame costs at most two decoded ones
# an object is a few pixels wide at 64 px and blurs into the table at the usual 30; a 64 px frame is still below 0.5 kB
CRF = 18
TICKS_PER_FRAME = 512


def encode_video(
    path: Path, frames: Iterable[np.ndarray], *, fps_hz: int, crf: int = CRF, gop: int = GOP_FRAMES
) -> int:
    """Encode frames as H.264 yuv420p at a constant rate, first timestamp 0, no B-frames.

    Args:
        path: mp4 file to write.
        frames: uint8 [H, W, 3] each, H and W even and equal for all.
        fps_hz: frames a second, a whole number.
        crf: quality, 0 (lossless) to 51.
        gop: frames from one key frame to the next.

    Returns:
        The number of frames written.

    Raises:
        DataError: no frame, an odd size, or a frame of another size or dtype.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise DataError(f"no frames to encode into {path.name}: an episode needs at least one")
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise DataError(f"frames of {width}x{height} can't be encoded as yuv420p: make width and height even")
    timescale = fps_hz * TICKS_PER_FRAME  # a whole number of ticks a frame: timestamps are exact
    with av.open(
        str(path), "w", options={"movflags": "+faststart", "video_track_timescale": str(timescale)}
    ) as container:
        options = {"crf": str(crf), "preset": "veryfast", "bf": "0", "threads": "1"}
        stream = container.add_stream(CODEC, rate=fps_hz, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, "yuv420p", gop
        count = 0
        for array in _chain(first, iterator):
            if array.shape != first.shape or array.dtype != np.uint8:
                raise DataError(f"frame {count} is {array.dtype} {array.shape}, expected uint8 {first.shape}")
            # a frame made from an array has no picture type of its source, which would override the encoder's choice
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format="rgb24")
            frame.pts = count
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    return count


def join_videos(path: Path, parts: Sequence[Path], *, fps_hz: int) -> list[int]:
    """Join files of `encode_video` by copying their packets; part k starts at exactly (frames before it) / fps.

    Returns:
        The index of the first frame of each part in the joined file.

    Raises:
        DataError: a part has another codec header than the first (ask `codec_header` before).
    """
    starts, total = [], 0
    timescale = str(fps_hz * TICKS_PER_FRAME)
    with av.open(str(path), "w", options={"movflags": "+faststart", "video_track_timescale": timescale}) as output:
        stream, header = None, b""
        for part in parts:
            starts.append(total)
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                if stream is None:
                    stream, header = output.add_stream_from_template(video), bytes(video.codec_context.extradata or b"")
                if bytes(video.codec_context.extradata or b"") != header:
                    raise DataError(f"{part} was encoded with other settings than {parts[0]}: they can't share a file")
                for packet in source.demux(video):
                    if packet.dts is None:  # the flush packet
                        continue
                    ticks = round(1 / (fps_hz * packet.time_base))
                    packet.pts = packet.dts = total * ticks
                    packet.duration = ticks
                    packet.stream = stream
                    output.mux(packet)
                    total += 1
    return starts


def cut_video(path: Path, source: Path, *, first: int, num_frames: int, fps_hz: int) -> None:
    """Copy frames out of a file of `join_videos`, bit for bit; the first one must be a key frame.

    Raises:
        DataError: it is none, or the frames do not follow each other.
    """
    timescale = str(fps_hz * TICKS_PER_FRAME)
    options = {"movflags": "+faststart", "video_track_timescale": timescale}
    with av.open(str(source)) as container, av.open(str(path), "w", options=options) as output:
        video = container.streams.video[0]
        stream = output.add_stream_from_template(video)
        ticks = round(1 / (fps_hz * video.time_base))
        container.seek(first * ticks, stream=video)
        count = 0
        for packet in container.demux(video):
            if packet.dts is None or packet.pts < first * ticks:
                continue
            if packet.pts != (first + count) * ticks or (count == 0 and not packet.is_keyframe):
                raise DataError(f"{source} was not written by robossl: import it first")
            packet.pts = packet.dts = count * ticks
            packet.duration = ticks
            packet.stream = stream
            output.mux(packet)
            count += 1
            if count == num_frames:
                return
    raise DataError(f"{source} ends after frame {first + count - 1}, frames up to {first + num_frames - 1} are needed")


def codec_header(path: Path) -> bytes:
    """Return the codec's header (size and settings); files with the same one can be joined."""
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


def _chain(first: np.ndarray, rest: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    yield first
    yield from rest
