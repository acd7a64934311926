"""Whether training reads frames out of a cache or streams them out of the videos: measured, and said in one line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from robossl.data.cache_room import limit_bytes
from robossl.data.reading_speed import CLIP_FRAMES, built_frames_per_s, cached_frames_per_s, streamed_frames_per_s
from robossl.data.sources import ScalingSource

Way = Literal["cache", "stream"]
MEASURE_S = 1.5


@dataclass(frozen=True, kw_only=True)
class ReadingPlan:
    """The way that is taken, and why."""

    way: Way
    reason: str


def plan_reading(source: ScalingSource, cache: Path, *, image_size: tuple[int, int], num_clips: int) -> ReadingPlan:
    """Choose the way that takes less time in all; a cache that is there costs nothing to make.

    Args:
        source: the videos.
        cache: where their frame cache is, or would be.
        image_size: (H, W) of training frames.
        num_clips: that will be read; counted as 4 frames each.
    """
    if cache.is_dir():
        return ReadingPlan(way="cache", reason="the frame cache is there")
    num_frames = int(source.lengths.sum()) * len(source.cameras)
    size = num_frames * 3 * image_size[0] * image_size[1]
    if size > limit_bytes():
        room = f"{size / 1e9:.3g} GB, and ROBOSSL_CACHE_GB allows {limit_bytes() / 1e9:.3g}"
        return ReadingPlan(way="stream", reason=f"a frame cache would take {room}")
    streamed = streamed_frames_per_s(source, image_size, seconds=MEASURE_S)
    built = built_frames_per_s(source, image_size, seconds=MEASURE_S)
    cached = cached_frames_per_s(image_size, seconds=MEASURE_S / 10)
    wanted = num_clips * CLIP_FRAMES
    cache_s, stream_s = num_frames / built + wanted / cached, wanted / streamed
    rates = (
        f"{streamed:,.0f} frames/s streamed, {built:,.0f} into a cache and {cached:,.0f} out of it; "
        f"{wanted:,} wanted of {num_frames:,} take {stream_s:,.0f} s streamed and {cache_s:,.0f} s by the cache"
    )
    return ReadingPlan(way="stream" if stream_s < cache_s else "cache", reason=rates)
