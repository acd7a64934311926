"""`robossl doctor --speed`: how fast frames can be read, and what the machine could do at most."""

from pathlib import Path
from typing import Any

from robossl.config.doctor import DoctorConfig
from robossl.data.frame_cache import cache_path
from robossl.data.reading_plan import plan_reading
from robossl.data.reading_speed import (
    CLIP_FRAMES,
    built_frames_per_s,
    cached_frames_per_s,
    ceiling_frames_per_s,
    longest_video,
    random_clips_per_s,
    streamed_frames_per_s,
)
from robossl.data.sources import open_source
from robossl.report.html import page, table
from robossl.runs.files import write_text

MEASURE_S = 2.0
EPOCHS = 30
"""Of the training that a way of reading is recommended for."""


def measure_speed(config: DoctorConfig, *, page_path: Path) -> dict[str, Any]:
    """Measure each way of reading for two seconds, and write a page about it.

    Returns:
        `summary`, `tables`, `report`, and `speed`: name to frames a second.

    Raises:
        DataError: there is nothing to read.
    """
    source, size = open_source(config.path, damaged="keep_prefix"), config.image_size
    speed = {}
    if (path := longest_video(source)) is not None:
        ceiling, program = ceiling_frames_per_s(path)
        speed[f"at most: {program}, all cores, longest file"] = ceiling
    speed |= {
        "streamed in sequence, all cores, scaled": streamed_frames_per_s(source, size, seconds=MEASURE_S),
        "decoded into the frame cache, all cores": built_frames_per_s(source, size, seconds=MEASURE_S),
        "random clips out of the videos, one thread": CLIP_FRAMES * random_clips_per_s(source, size, seconds=MEASURE_S),
        "out of the frame cache, one thread": cached_frames_per_s(size, seconds=MEASURE_S / 10),
    }
    clips = EPOCHS * int(source.lengths.sum()) // CLIP_FRAMES
    plan = plan_reading(source, cache_path(source, size), image_size=size, num_clips=clips)
    height, width = size
    rows = [[way, round(rate), round(rate / CLIP_FRAMES)] for way, rate in speed.items()]
    columns = ["way", "frames_per_s", f"clips_of_{CLIP_FRAMES}_per_s"]
    title, summary = f"robossl doctor {config.path} --speed", f"for {EPOCHS} epochs, frames: {plan.way}"
    write_text(page_path, page(title, {"Speed": table(columns, rows, note=plan.reason)}, about=summary))
    return {
        "summary": f"{summary}, since {plan.reason}",
        "speed": speed,
        "report": str(page_path),
        "tables": [{"title": f"Reading at {height}x{width} px", "columns": columns, "rows": rows}],
    }
