"""Shot cuts and static stretches of an episode's pictures: what footage should be parted by and thinned at."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from jaxtyping import Float64

from robossl.data.doctor.findings import Finding
from robossl.data.shots import cuts_in
from robossl.data.sources import ScalingSource
from robossl.data.static import static_stretches
from robossl.data.video.changes import Changes, changes_of
from robossl.data.video_folder import VideoFolder

SHOWN = 6  # times in one line
LONG_SHARE, LONG_S = 0.2, 2.0  # less of a recording, in shorter stretches, is no more than an arm that waits a moment
MOSTLY, MOSTLY_S = 0.95, 5.0  # a recording this long of which this much shows no motion has nothing to learn from


def examine_footage(source: ScalingSource, episode: int, camera: str, *, where: str) -> Iterator[Finding]:
    """Yield the cuts and the static stretches of an episode; its file is decoded once more, small, and that kept.

    Raises:
        VideoReadError: the file can't be read.
    """
    path, first = source.video(episode, camera)
    length = int(source.lengths[episode])
    changes = changes_of(path).part(first, first + length)
    times_s = source.times_s(episode) if isinstance(source, VideoFolder) else np.arange(length) / source.fps_hz
    at = partial(Finding, where=where, episode=episode, camera=camera)
    cuts = cuts_in(changes).tolist()
    if cuts:
        when = _listed([f"{times_s[cut]:.1f} s" for cut in cuts])
        what = f"{len(cuts)} shot cut{'s' if len(cuts) > 1 else ''} at {when}"
        yield at(kind="shot_cuts", what=what, frame=cuts[0])
    yield from _static(changes, times_s, at)


def _static(changes: Changes, times_s: Float64[np.ndarray, " n"], at: partial[Finding]) -> Iterator[Finding]:
    stretches, length = static_stretches(changes), len(changes.step)
    longest = max([stop - start for start, stop in stretches], default=0)
    spans = [f"from {times_s[start]:.1f} s to {times_s[stop - 1]:.1f} s" for start, stop in stretches]
    share = sum(stop - start for start, stop in stretches) / length
    if share < LONG_SHARE and longest < LONG_S * changes.fps_hz:
        return
    kind = "mostly_static" if share >= MOSTLY and length >= MOSTLY_S * changes.fps_hz else "static_stretches"
    yield at(kind=kind, what=f"static {_listed(spans)} ({share:.0%})", frame=stretches[0][0])


def _listed(texts: list[str]) -> str:
    hidden = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {hidden} more" if hidden > 0 else "")
