"""Stretches of a video in which nothing moves."""

import numpy as np

from robossl.data.sources import ScalingSource
from robossl.data.static_frames import StaticFrames, numbered
from robossl.data.video.changes import Changes, changes_of

QUIETEST, NOISIEST = 5.0, 10.0  # grey levels, within which the file's own noise sets what counts as motion
NOISE_SHARE, NOISE_FACTOR = 0.1, 3.0


def static_stretches(changes: Changes) -> list[tuple[int, int]]:
    """Return (first frame, frame after the last one) of each stretch of half a second or more without motion.

    A frame stands still if 99 % of its pixels are what they were half a second before and in between, up to three
    times the noise of the file: what its quieter frames change from one to the next, taken as 5 to 10 grey levels.
    """
    num, lag = len(changes.step), changes.lag
    if num <= lag:
        return []
    bound = float(np.clip(NOISE_FACTOR * np.quantile(changes.step[1:], NOISE_SHARE), QUIETEST, NOISIEST))
    moves = np.concatenate([[0], np.cumsum(changes.step > bound)])
    still = np.zeros(num, dtype=bool)
    still[lag:] = (changes.lagged[lag:] <= bound) & (moves[lag + 1 :] == moves[1 : num - lag + 1])
    static = np.zeros(num, dtype=bool)
    for frame in np.flatnonzero(still):
        static[frame - lag : frame + 1] = True
    goes_on = np.concatenate([[False], static[1:] & static[:-1] & (changes.step[1:] <= bound), [False]])
    starts, stops = np.flatnonzero(static & ~goes_on[:-1]), np.flatnonzero(static & ~goes_on[1:]) + 1
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def static_frames(source: ScalingSource, camera: str, *, weight: float) -> list[StaticFrames]:
    """Return the static stretches of all episodes, as one camera shows them; each file is decoded once.

    Raises:
        VideoReadError: a file can't be read.
    """
    found = []
    for episode, length in enumerate(source.lengths.tolist()):
        path, first = source.video(episode, camera)
        changes = changes_of(path).part(first, first + length)
        found.append(StaticFrames(numbered(static_stretches(changes), length), source.fps_hz, weight))
    return found
