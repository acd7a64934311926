"""Hard cuts of a video, and the shots between them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64
from rich.console import Console
from rich.progress import Progress

from robossl.data.threads import num_threads
from robossl.data.video.changes import Changes, changes_of

Shots = Literal["split", "keep"]
MIN_SHOT_FRAMES = 5
"""Shorter ones can't be told from flashes, lost frames and single jerks."""
MIN_CHANGE = 4.0  # grey levels: below it, all of the picture but a little is the same
MAX_LIKENESS = 0.95  # light that is switched leaves the structure of a picture as it is
# to the largest change nearby, of grey levels and of structure: motion is about as fast a frame earlier or later
MIN_RATIO, MIN_STRUCTURE_RATIO = 1.75, 1.2
QUIET, ALIKE = 0.5, 0.02  # what a camera that stands still changes: grey levels, and structure


def cuts_in(changes: Changes) -> Int64[np.ndarray, " c"]:
    """Return the first frame of each shot but the first one, rising.

    A hard cut is a change that stands alone, of grey levels 1.75 times as large as any within four frames before and
    after, and of the structure of the picture. Fast motion changes several frames in a row, a flash two, and light
    leaves the structure. Not found: fades, wipes, shots of fewer than five frames, and jumps that motion nearby hides.
    """
    change, structure, num = changes.change, 1 - changes.likeness, len(changes.change)
    inside = np.arange(num)
    inside = inside[(inside >= MIN_SHOT_FRAMES) & (inside <= num - MIN_SHOT_FRAMES)]
    candidates = inside[(change[inside] >= MIN_CHANGE) & (changes.likeness[inside] < MAX_LIKENESS)]
    alone = [
        change[frame] >= MIN_RATIO * (_nearby(change, frame) + QUIET)
        and structure[frame] >= MIN_STRUCTURE_RATIO * (_nearby(structure, frame) + ALIKE)
        for frame in candidates.tolist()
    ]
    return candidates[np.array(alone, dtype=bool)]


def _nearby(values: Float32[np.ndarray, " n"], frame: int) -> float:
    """Return the largest value within four frames before and after, but for the frame's own."""
    reach = MIN_SHOT_FRAMES - 1
    return float(np.concatenate([values[frame - reach : frame], values[frame + 1 : frame + 1 + reach]]).max())


def shots_of(paths: Sequence[Path]) -> list[list[tuple[int, int]]]:
    """Return (first frame, frame after the last one) of each shot of some videos; see `cuts_in`.

    Files that were not looked at before are decoded in threads.

    Raises:
        VideoReadError: one can't be read.
    """
    console, found = Console(stderr=True), []
    with (
        ThreadPoolExecutor(num_threads(), thread_name_prefix="shots") as pool,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        for one in progress.track(pool.map(_shots, paths), total=len(paths), description="looking for cuts"):
            found.append(one)
    return found


def _shots(path: Path) -> list[tuple[int, int]]:
    changes = changes_of(path)
    edges = [0, *cuts_in(changes).tolist(), len(changes.change)]
    return list(pairwise(edges))
