"""The sound beside the frames of a video: mono, resampled, on the clock of the frames."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float32
from scipy.signal import resample_poly

from robossl.data.video.scan import error_text, scan_video, video_stream
from robossl.errors import VideoReadError

PREROLL_S = 0.25
"""Decoded before what is asked for: codecs need some blocks to be right again after a jump."""
MARGIN = 64
"""Samples beside what is asked for that the filter of the resampling sees."""
MAX_JITTER_S = 0.002
"""Blocks that begin this near to the end of the one before follow it: clocks that count milliseconds round."""


def has_audio(path: str | Path) -> bool:
    """Return whether a video has sound beside it; a folder of pictures has none.

    Raises:
        VideoReadError: it can't be opened.
    """
    path = Path(path)
    if path.is_dir():
        return False
    with _opened(path) as container:
        return bool(container.streams.audio)


def read_audio(path: str | Path, start_s: float, end_s: float, *, rate_hz: int = 16_000) -> Float32[np.ndarray, " n"]:
    """Return the sound between two times, the mean of all channels of the first audio stream, in [-1, 1].

    Times are those of the frames: 0 is when the first frame appears, whatever the container counts from. Sample k of
    the answer is what sounds at round(start_s * rate_hz) + k samples after that; there are round((end_s - start_s) *
    rate_hz) of them. Where the file has no sound, before, after and in gaps of its audio stream, they are 0. The same
    times give the same samples, and neighbouring pieces fit together; where a container's clock counts milliseconds
    (MKV, WebM, FLV), to one of them.

    Args:
        path: of the video.
        start_s, end_s: seconds from the first frame; may reach beyond the video.
        rate_hz: samples a second of the answer.

    Raises:
        VideoReadError: it can't be opened or decoded, has no audio stream, or `end_s` is before `start_s`.
    """
    path = Path(path)
    if not end_s >= start_s or rate_hz < 1:
        raise VideoReadError(path, f"no sound lies between {start_s} and {end_s} s at {rate_hz} Hz")
    if not has_audio(path):
        raise VideoReadError(path, "it has no audio stream; `has_audio` tells before")
    first, num = round(start_s * rate_hz), round((end_s - start_s) * rate_hz)
    with _opened(path) as container:
        stream = container.streams.audio[0]
        ratio = Fraction(rate_hz, stream.rate)
        up, down = ratio.numerator, ratio.denominator
        # blocks of `up` samples here are blocks of `down` samples there: read whole ones, so that both grids meet
        blocks = 1 + MARGIN // min(up, down)
        begin, stop = first // up - blocks, -(-(first + num) // up) + blocks
        native = np.zeros((stop - begin) * down, dtype=np.float32)
        try:
            for place, samples in _blocks(container, stream, begin * down, stop * down, zero_s=_first_frame_s(path)):
                _put(native, samples, place - begin * down)
        except (av.FFmpegError, ValueError) as error:
            raise VideoReadError(path, f"its sound can't be decoded ({error_text(error)})") from error
    resampled = native if up == down else resample_poly(native, up, down)
    return resampled[first - begin * up :][:num].astype(np.float32)


def _blocks(
    container: av.container.InputContainer, stream: av.AudioStream, begin: int, stop: int, *, zero_s: float
) -> Iterator[tuple[int, Float32[np.ndarray, " m"]]]:
    """Yield (place of the first sample, counted from the first frame of the video, mono samples) up to `stop`."""
    seek_s = begin / stream.rate + zero_s - PREROLL_S
    tick_s = float(stream.time_base)
    if seek_s > (stream.start_time or 0) * tick_s:
        container.seek(int(seek_s / tick_s), stream=stream, backward=True)
    following: int | None = None
    for frame in container.decode(stream):
        if frame.pts is None and following is None:
            continue
        samples = _mono(frame)
        place = following if frame.pts is None else round((float(frame.pts * frame.time_base) - zero_s) * frame.rate)
        assert place is not None
        if following is not None and abs(place - following) <= MAX_JITTER_S * frame.rate:
            place = following
        following = place + len(samples)
        if place >= stop:
            return
        yield place, samples


def _put(target: Float32[np.ndarray, " n"], samples: Float32[np.ndarray, " m"], place: int) -> None:
    """Write samples from a place on, as far as they lie inside."""
    start, stop = max(place, 0), min(place + len(samples), len(target))
    if stop > start:
        target[start:stop] = samples[start - place : stop - place]


def _mono(frame: av.AudioFrame) -> Float32[np.ndarray, " m"]:
    """Return the mean of the channels, in [-1, 1]."""
    values, num = frame.to_ndarray(), len(frame.layout.channels)
    channels = values if frame.format.is_planar else values.reshape(-1, num).T
    if channels.dtype == np.uint8:
        return (channels.astype(np.float32).mean(axis=0) - 128) / 128
    scale = 1.0 if channels.dtype.kind == "f" else float(np.iinfo(channels.dtype).max) + 1
    return (channels.mean(axis=0) / scale).astype(np.float32)


def _first_frame_s(path: Path) -> float:
    """Return the container's time of the first frame that is shown."""
    scan = scan_video(path)
    if scan.times is not None:
        return float(scan.times[0]) * scan.tick_s
    with _opened(path) as container:  # its packets can't be trusted with it
        frame = next(container.decode(video_stream(container, path)), None)
        return 0.0 if frame is None or frame.time is None else float(frame.time)


def _opened(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoReadError(path, f"it can't be opened ({error_text(error)})") from error
