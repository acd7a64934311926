"""Put the page together: one file, no address outside it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from robossl.report.curves import curves
from robossl.report.differences import difference_tables
from robossl.report.future_frames import future_frames_section
from robossl.report.html import element, escape, file_address, number, page, table
from robossl.report.lineage import lineage_section
from robossl.report.records import Picture, RunRecord, read_runs
from robossl.report.success import is_success_table, rates_of, success_section
from robossl.runs.files import write_text

_OPEN_GALLERIES = 3
_OTHER, _NAMED_PHASES = "other", 7


def build_report(
    run_dirs: Sequence[Path],
    output: Path,
    *,
    title: str = "robossl report",
    lead: str = "",
    tables: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write the page about the runs and return its path.

    Args:
        run_dirs: Run directories, finished or not.
        output: The HTML file.
        title: Heading.
        lead: A sentence or two below it.
        tables: Further tables (title, columns, rows, note), for results that lie in no run yet.

    Raises:
        ConfigError: a directory holds no run.
    """
    runs = read_runs(run_dirs)
    parts = {
        "Success in each domain": success_section(rates) if (rates := rates_of(runs, tables)) else "",
        "From data to policy": lineage_section(runs),
        "Rollouts": _videos(runs),
        "Predicted and true future frames": _future_frames(runs),
        "What the encoder sees": _pictures(runs),
        "Measurements": _tables(runs, [*tables, *difference_tables(runs)]),
        "Curves": _curves(runs),
        "Where the time went": _time(runs),
        "What was run": _details(runs),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    write_text(output, page(title, parts, about=_about(runs), lead=lead))
    return output


def _about(runs: Sequence[RunRecord]) -> str:
    versions = {f"{name} {run.versions[name]}" for run in runs for name in ("robossl", "torch") if name in run.versions}
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    count = f"{len(runs)} run{'s' if len(runs) != 1 else ''}"
    return " · ".join([written, count, *sorted(versions)])


def _videos(runs: Sequence[RunRecord]) -> str:
    """Return a gallery a run, evaluations first; only the first few are unfolded."""
    shown = sorted((run for run in runs if run.videos), key=lambda run: run.command != "evaluate")
    return "".join(
        element(
            f"details{' open' if place < _OPEN_GALLERIES else ''}",
            element("summary", escape(run.name)),
            element("div", *(_video(path) for path in run.videos), class_="gallery"),
        )
        for place, run in enumerate(shown)
    )


def _video(path: Path) -> str:
    name = path.stem.replace("-", " · ").removeprefix("evaluate · ")
    click = "this.paused ? this.play() : this.pause()"
    video = f'<video src="{file_address(path)}" autoplay loop muted playsinline onclick="{click}"></video>'
    return element("figure", video, element("figcaption", escape(name)))


def _pictures(runs: Sequence[RunRecord]) -> str:
    return "".join(_picture(picture, run) for run in runs for picture in run.pictures)


def _future_frames(runs: Sequence[RunRecord]) -> str:
    return "".join(future_frames_section(run.path / "future_frames", source=run.name) for run in runs)


def _picture(picture: Picture, run: RunRecord) -> str:
    image = f'<img src="{file_address(picture.path)}" alt="{escape(picture.caption)}">'
    return element("figure", image, element("figcaption", _caption(picture.caption, run)), class_="wide")


def _caption(text: str, run: RunRecord) -> str:
    return f"{escape(text)} {element('span', escape(run.name), class_='source')}"


def _tables(runs: Sequence[RunRecord], more: Sequence[Mapping[str, Any]]) -> str:
    own = [(one, run.name) for run in runs for one in run.result.get("tables", ())]
    shown = [*own, *((one, "") for one in more)]
    blocks = [
        element("h3", escape(one["title"]), element("span", escape(name), class_="source"))
        + table(one["columns"], one["rows"], note=one.get("note") or "")
        for one, name in shown
    ]
    success = [block for block, (one, _) in zip(blocks, shown, strict=True) if is_success_table(one)]
    others = [block for block in blocks if block not in success]
    folded = element("details", element("summary", "Success rates as numbers"), *success) if success else ""
    return "".join(others) + folded


def _curves(runs: Sequence[RunRecord]) -> str:
    """Return the curves of each command; where it ran several times, its runs are compared on shared axes."""
    blocks = []
    for command in dict.fromkeys(run.command for run in runs):
        metrics = {run.name: run.metrics for run in runs if run.command == command and run.metrics}
        drawn = [
            element("figure", element("figcaption", escape(title.replace("_", " ").replace("/", " · "))), svg)
            for title, svg in curves(metrics, salt=command).items()
        ]
        if drawn:
            name = next(iter(metrics)) if len(metrics) == 1 else f"{command}, {len(metrics)} runs"
            blocks.append(element("h3", escape(name)) + element("div", *drawn, class_="curves"))
    return "".join(blocks)


def _time(runs: Sequence[RunRecord]) -> str:
    """Return one stacked bar a run, all on one scale; short phases are joined to `other`."""
    phases = {run.name: _phases(run) for run in runs}
    longest = max((sum(parts.values()) for parts in phases.values()), default=0.0)
    if longest <= 0:
        return ""
    used = Counter[str]()
    for parts in phases.values():
        used.update(parts)
    named = [name for name, _ in used.most_common() if name != _OTHER][:_NAMED_PHASES]
    bars = [_bar(run, _shortened(parts, named), longest_s=longest) for run, parts in phases.items()]
    legend = [
        element("li", f'<i class="c{color}"></i>{escape(name)} {_duration(seconds)}')
        for name, seconds, color in _shortened(used, named)
    ]
    return element("div", *bars, class_="bars") + element("ul", *legend, class_="legend")


def _bar(run: str, parts: Sequence[tuple[str, float, int]], *, longest_s: float) -> str:
    segments = "".join(
        f'<b class="c{color}" style="width:{100 * seconds / longest_s:.2f}%" title="{escape(name)}"></b>'
        for name, seconds, color in parts
    )
    total = element("span", _duration(sum(seconds for _, seconds, _ in parts)), class_="value")
    return element("div", element("span", escape(run), class_="who"), element("span", segments), total, class_="bar")


def _shortened(parts: Mapping[str, float], named: Sequence[str]) -> list[tuple[str, float, int]]:
    """Return name, seconds and colour of the named phases, and of all others together, in grey."""
    shown = [(name, parts[name], color) for color, name in enumerate(named) if parts.get(name)]
    rest = sum(seconds for name, seconds in parts.items() if name not in named)
    return [*shown, *([(_OTHER, rest, _NAMED_PHASES)] if rest else [])]


def _phases(run: RunRecord) -> dict[str, float]:
    named = {name: seconds for name, seconds in run.seconds.items() if name != "total"}
    rest = run.seconds.get("total", 0.0) - sum(named.values())
    return named | ({_OTHER: rest} if rest > 0.5 else {})


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _details(runs: Sequence[RunRecord]) -> str:
    return "".join(
        element(
            "details",
            element("summary", f"{escape(run.name)} {element('code', escape(f'robossl {run.command}'))}"),
            element("pre", escape(run.config)),
            element("p", escape(", ".join(f"{k} {number(v)}" for k, v in run.versions.items())), class_="note"),
        )
        for run in runs
    )
