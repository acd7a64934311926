"""Success rates with their intervals, gathered from the tables of all runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from robossl.report.demonstrations import is_table_of_demonstrations
from robossl.report.html import element, escape
from robossl.report.records import RunRecord

_NEEDED = {"success_rate", "low", "high", "domain"}
_COMPARING = ("demo", "benchmark", "transfer")
_PANELS = ("env_id", "task")
_SERIES, _TASK = ("encoder", "policy", "recipe", "name"), "task"
"""Columns of who succeeds; where there is none, tasks are compared."""
_SEEDS = ("training_seed", "training_seeds", "seeds", "seed")


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One success rate in one domain."""

    panel: str
    """Env or task."""
    domain: str
    series: str
    """Policy or recipe."""
    rate: float
    low: float
    high: float
    n: int | None
    seeds: str


def is_success_table(table: Mapping[str, Any]) -> bool:
    """Return whether the table holds success rates with intervals per domain."""
    return (
        set(table["columns"]) >= _NEEDED
        and not is_table_of_demonstrations(table)
        and any(name in table["columns"] for name in (*_SERIES, _TASK))
    )


def rates_of(runs: Sequence[RunRecord], tables: Sequence[Mapping[str, Any]]) -> list[Rate]:
    """Return the rates of success tables, each once.

    The further tables count if they hold rates, else those of all runs; but a demo, benchmark or transfer holds the
    numbers of the runs within it already.
    """
    comparing = [run.path.resolve() for run in runs if run.command in _COMPARING]
    own = [
        (run.result.get("env_id") or "", table)
        for run in runs
        if not any(folder in run.path.resolve().parents for folder in comparing)
        for table in run.result.get("tables", ())
    ]
    return _rates([("", table) for table in tables]) or _rates(own)


def _rates(tables: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Rate]:
    found: dict[Rate, None] = {}
    for env_id, table in tables:
        if is_success_table(table):
            for values in table["rows"]:
                row = dict(zip(table["columns"], values, strict=True))
                if row["success_rate"] is not None:
                    found[_rate(row, default_panel=env_id or table["title"])] = None
    return list(found)


def success_section(rates: Sequence[Rate]) -> str:
    """Return one panel a task: the domains below each other, in each the policies on a track from 0 to 1.

    A policy has one colour in all panels; a panel that has none of those before it begins with the first colour.
    """
    panels = []
    colors: dict[str, int] = {}
    for panel in dict.fromkeys(rate.panel for rate in rates):
        of_panel = [rate for rate in rates if rate.panel == panel]
        series = list(dict.fromkeys(rate.series for rate in of_panel))
        if colors.keys().isdisjoint(series):
            colors = {}
        for name in series:
            colors.setdefault(name, len(colors))
        groups = [
            _group(domain, [rate for rate in of_panel if rate.domain == domain], colors)
            for domain in dict.fromkeys(rate.domain for rate in of_panel)
        ]
        panels.append(element("div", element("h3", escape(panel)), *groups, _AXIS, class_="panel"))
    return element("div", *panels, class_="panels")


_AXIS = '<div class="rate axis"><span></span><span class="track"><i>0</i><i>0.5</i><i>1</i></span><span></span></div>'


def _group(domain: str, rates: Sequence[Rate], colors: Mapping[str, int]) -> str:
    rows = [_row(rate, color=colors[rate.series]) for rate in rates]
    return element("div", element("h4", escape(domain)), *rows, class_="group")


def _row(rate: Rate, *, color: int) -> str:
    whisker = f'<b style="left:{100 * rate.low:.1f}%;width:{100 * (rate.high - rate.low):.1f}%"></b>'
    dot = f'<em style="left:{100 * rate.rate:.1f}%"></em>'
    detail = f"{rate.low:.2f}–{rate.high:.2f}" + (f", n {rate.n}" if rate.n else "")
    detail += f", seeds {rate.seeds}" if rate.seeds else ""
    return element(
        "div",
        element("span", escape(rate.series), class_="who"),
        element("span", whisker, dot, class_="track"),
        element("span", f"{rate.rate:.2f}", element("small", escape(detail)), class_="value"),
        class_=f"rate c{color % 8}",
    )


def _rate(row: Mapping[str, Any], *, default_panel: str) -> Rate:
    who = next(key for key in (*_SERIES, _TASK) if key in row)
    panel = next((str(row[key]) for key in _PANELS if row.get(key) and key != who), default_panel)
    return Rate(
        panel=panel.removeprefix("robossl/"),
        domain=str(row["domain"]),
        series=_series(str(row[who])),
        rate=float(row["success_rate"]),
        low=float(row["low"]),
        high=float(row["high"]),
        n=row.get("n"),
        seeds=next((str(row[key]) for key in _SEEDS if row.get(key) is not None), ""),
    )


def _series(name: str) -> str:
    """Return a policy's directory by the name of its run."""
    return name.removesuffix("/").removesuffix("/policy").rsplit("/", 1)[-1]
