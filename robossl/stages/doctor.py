"""`robossl doctor`: what is wrong with a video, a folder of videos or a data set."""

import io
from collections import Counter
from typing import Any

import matplotlib.image
import numpy as np
import torch

from robossl.config.doctor import DoctorConfig
from robossl.data.doctor import Examination, Finding, examine
from robossl.data.doctor.pictures import Look
from robossl.report.html import data_address, element, escape, page, table
from robossl.resize import resize
from robossl.runs import Run
from robossl.runs.files import write_text
from robossl.stages.doctor_speed import measure_speed
from robossl.stages.progress import tracked

THUMBNAIL_PX = 96
SHOWN_ON_PAGE = 500


def doctor(config: DoctorConfig, *, run: Run) -> dict[str, Any]:
    """Examine, write `report.html`, and return what was found.

    Args:
        config: what to examine, or with `speed` what to read.
        run: the run that holds the page.

    Returns:
        `summary`, `lines` (one a finding), `findings` (kind, where, what, fix, episode, frame, camera, is_fault),
        `figures`, `report`, and `exit_code`: 1 when something is wrong.

    Raises:
        DataError: there is nothing to examine.
    """
    if config.speed:
        with run.time("measure speed"):
            return measure_speed(config, page_path=run.path / "report.html")
    with run.time("examine"):
        found = examine(config.path, track=lambda numbers: tracked(numbers, description="examine", total=len(numbers)))
    findings = sorted(found.findings, key=lambda one: (not one.is_fault, -1 if one.episode is None else one.episode))
    page_path = run.path / "report.html"
    write_text(page_path, _page(config, found, findings))
    kinds = Counter(finding.kind for finding in found.faults)
    summary = f"{len(found.faults)} faults ({', '.join(kinds)})" if kinds else "nothing is wrong"
    return {
        "summary": summary,
        "lines": [str(finding) for finding in findings],
        "findings": [_plain(finding) for finding in findings],
        "figures": found.figures,
        "tables": [{"title": "Figures", "columns": list(found.figures), "rows": [list(found.figures.values())]}],
        "report": str(page_path),
        "exit_code": int(bool(kinds)),
    }


def _plain(finding: Finding) -> dict[str, Any]:
    return vars(finding) | {"fix": finding.fix, "is_fault": finding.is_fault}


def _page(config: DoctorConfig, found: Examination, findings: list[Finding]) -> str:
    rows = [["fault" if f.is_fault else "note", f.kind, f.where, f.what, f.fix] for f in findings[:SHOWN_ON_PAGE]]
    hidden = len(findings) - len(rows)
    note = f"{hidden} more are in result.json" if hidden else ""
    sections = {
        "Findings": element("div", _table(rows, note), class_="findings") if rows else "None.",
        "Figures": table(list(found.figures), [list(found.figures.values())]),
        "Pictures": _pictures(found.looks, findings, limit=config.max_thumbnails),
    }
    return page(f"robossl doctor {config.path}", sections, about=f"{len(found.faults)} faults")


def _table(rows: list[list[Any]], note: str) -> str:
    return table(["level", "kind", "where", "what", "fix"], rows, note=note)


def _pictures(looks: list[Look], findings: list[Finding], *, limit: int) -> str:
    """Return the middle frame of episodes, those with findings first."""
    kinds: dict[tuple[int, str], list[str]] = {}
    for finding in findings:
        if finding.episode is not None:
            kinds.setdefault((finding.episode, finding.camera), []).append(finding.kind)
    chosen = sorted(looks, key=lambda look: not _kinds(kinds, look))[:limit]
    figures = []
    for look in sorted(chosen, key=lambda look: (look.episode, look.camera)):
        caption = f"episode {look.episode}, {look.camera}"
        words = ", ".join(dict.fromkeys(_kinds(kinds, look)))
        picture = f'<img src="{data_address(_png(look.sample), kind=".png")}" alt="{escape(caption)}">'
        figures.append(element("figure", picture, element("figcaption", escape(f"{caption} {words}"))))
    return element("div", *figures, class_="thumbnails")


def _kinds(kinds: dict[tuple[int, str], list[str]], look: Look) -> list[str]:
    return kinds.get((look.episode, look.camera), []) + kinds.get((look.episode, ""), [])


def _png(frame: np.ndarray) -> bytes:
    height, width = frame.shape[-2:]
    scale = THUMBNAIL_PX / max(height, width)
    size = (max(1, round(scale * height)), max(1, round(scale * width)))
    small = resize(torch.from_numpy(frame)[None], size).numpy()[0]
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, small.transpose(1, 2, 0), format="png")
    return buffer.getvalue()
