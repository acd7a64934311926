"""Rollouts to be watched, each with its first frame as a still."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.image import imsave

from robossl.report.html import data_address, element, escape, file_address
from robossl.report.records import RunRecord
from robossl.runs.video_file import first_frame

_OPEN_GALLERIES = 3


def videos_section(runs: Sequence[RunRecord], *, worlds: Mapping[str, str]) -> str:
    """Return a gallery a run, evaluations first; only the first few are unfolded.

    Args:
        runs: Runs of the page.
        worlds: Name of a run to the world that it measured, where its domain does not tell.
    """
    shown = sorted((run for run in runs if run.videos), key=lambda run: run.command != "evaluate")
    return "".join(
        element(
            f"details{' open' if place < _OPEN_GALLERIES else ''}",
            element("summary", escape(run.name)),
            element("div", *(_video(path, worlds.get(run.name)) for path in run.videos), class_="gallery"),
        )
        for place, run in enumerate(shown)
    )


def _video(path: Path, world: str | None) -> str:
    domain, *more = path.stem.removeprefix("evaluate-").split("-")
    name = " · ".join([world or domain, *more])
    click = "this.paused ? this.play() : this.pause()"
    attributes = f'{poster(path)} autoplay loop muted playsinline onclick="{click}"'
    video = f'<video src="{file_address(path)}"{attributes}></video>'
    return element("figure", video, element("figcaption", escape(name)))


def poster(path: Path) -> str:
    """Return what browsers show before the video plays, or an empty text where it can't be read."""
    frame = first_frame(path)
    if frame is None:
        return ""
    buffer = io.BytesIO()
    imsave(buffer, frame, format="jpg")
    return f' poster="{data_address(buffer.getvalue(), kind=".jpg")}"'
