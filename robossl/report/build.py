"""Put the page together: one file, no address outside it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from robossl.report.curves import curves
from robossl.report.demonstrations import demonstrations_section
from robossl.report.differences import difference_tables
from robossl.report.failures import failures_section
from robossl.report.future_frames import future_frames_section
from robossl.report.html import element, escape, file_address, number, page, table
from robossl.report.kept_episodes import shown_episodes
from robossl.report.lineage import lineage_section
from robossl.report.records import Picture, RunRecord, read_runs
from robossl.report.retention import retention_section
from robossl.report.side_by_side import side_by_side_section
from robossl.report.success import is_success_table, rates_of, success_section
from robossl.report.times import times_section
from robossl.report.videos import videos_section
from robossl.runs.files import write_text


def build_report(
    run_dirs: Sequence[Path],
    output: Path,
    *,
    title: str = "robossl report",
    lead: str = "",
    terms: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    cells: Mapping[str, tuple[str, str]] | None = None,
    tables: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write the page about the runs and return its path.

    Args:
        run_dirs: Run directories, finished or not.
        output: The HTML file.
        title: Heading.
        lead: A paragraph below it.
        terms: Words of the page, like tasks and domains, with what they mean; listed below the lead.
        labels: Name of a run to what readers call the policy that it measured.
        cells: Name of a run to the policy and the world that it measured, where its domain does not tell.
        tables: Further tables (title, columns, rows, note), for results that lie in no run yet.

    Raises:
        ConfigError: a directory holds no run.
    """
    runs = read_runs(run_dirs)
    all_tables = [*tables, *(table for run in runs for table in run.result.get("tables", ()))]
    episodes = shown_episodes(runs, labels=labels or {}, cells=cells or {})
    worlds = {name: world for name, (_, world) in (cells or {}).items()}
    parts = {
        "Success in each domain": _success(runs, tables, labels=labels),
        "What is kept in each world": retention_section(all_tables),
        "Success against demonstrations": demonstrations_section(all_tables),
        "The same episode side by side": side_by_side_section(episodes),
        "How episodes failed": failures_section(episodes),
        "From data to policy": lineage_section(runs, worlds=worlds),
        "Rollouts": videos_section(runs, worlds=worlds),
        "Predicted and true future frames": _future_frames(runs),
        "What the encoder sees": _pictures(runs),
        "Measurements": _tables(runs, tables),
        "Curves": _curves(runs),
        "Where the time went": times_section(runs),
        "What was run": _details(runs),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    write_text(output, page(title, parts, about=_about(runs), lead=lead, terms=terms or {}))
    return output


def _about(runs: Sequence[RunRecord]) -> str:
    versions = {f"{name} {run.versions[name]}" for run in runs for name in ("robossl", "torch") if name in run.versions}
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    count = f"{len(runs)} run{'s' if len(runs) != 1 else ''}"
    return " · ".join([written, count, *sorted(versions)])


def _success(
    runs: Sequence[RunRecord], tables: Sequence[Mapping[str, Any]], *, labels: Mapping[str, str] | None
) -> str:
    rates = rates_of(runs, tables)
    differences = "".join(
        element("h3", escape(one["title"])) + table(one["columns"], one["rows"], note=one["note"])
        for one in difference_tables(runs, labels=labels)
    )
    return (success_section(rates) if rates else "") + differences


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
            element("figure", element("figcaption", escape(title)), svg)
            for title, svg in curves(metrics, salt=command).items()
        ]
        if drawn:
            name = next(iter(metrics)) if len(metrics) == 1 else f"{command}, {len(metrics)} runs"
            blocks.append(element("h3", escape(name)) + element("div", *drawn, class_="curves"))
    return "".join(blocks)


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
