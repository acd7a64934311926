"""Success against the number of demonstrations: a panel for each task and domain, a line for each encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from robossl.report.html import element, escape
from robossl.report.svg import COLORS, INK, MARKERS, inline_svg, page_style

_COLUMNS, _PANEL_IN, _LEGEND_ROW_IN = 3, (2.5, 1.9), 0.17
_SIDESTEP = 0.03
"""Of one line from the next along the logarithmic axis, as a fraction, so that intervals don't lie on each other."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Success of the policies cloned on one encoder from so many demonstrations."""

    task: str
    encoder: str
    domain: str
    demonstrations: int
    rate: float
    low: float
    high: float


def is_table_of_demonstrations(table: Mapping[str, Any]) -> bool:
    """Return whether the table tells success by the number of demonstrations."""
    return set(table["columns"]) >= {"task", "encoder", "demonstrations", "domain", "success_rate", "low", "high"}


def points_of(table: Mapping[str, Any]) -> list[Point]:
    """Return what the table says."""
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return [
        Point(
            task=row["task"],
            encoder=row["encoder"],
            domain=row["domain"],
            demonstrations=row["demonstrations"],
            rate=row["success_rate"],
            low=row["low"],
            high=row["high"],
        )
        for row in rows
    ]


def demonstrations_section(tables: Sequence[Mapping[str, Any]]) -> str:
    """Return a figure for each domain of each table that tells success by the number of demonstrations."""
    blocks = []
    for table in tables:
        points = points_of(table) if is_table_of_demonstrations(table) else []
        colors = {name: place for place, name in enumerate(dict.fromkeys(point.encoder for point in points))}
        for domain in dict.fromkeys(point.domain for point in points):
            shown = [point for point in points if point.domain == domain]
            with page_style(f"demonstrations-{domain}"):
                svg = inline_svg(demonstrations_figure(shown, colors=colors), label=_words(shown, domain=domain))
            caption = element("figcaption", escape(table.get("note") or ""))
            blocks.append(element("h3", escape(domain)) + element("figure", svg, caption, class_="plot"))
    return "".join(blocks)


def _words(points: Sequence[Point], *, domain: str) -> str:
    shown = (f"{p.task}, {p.encoder}, {p.demonstrations}: {p.rate:.2f} ({p.low:.2f} to {p.high:.2f})" for p in points)
    return f"Success rate in {domain} by task, encoder and number of demonstrations. {'; '.join(shown)}"


def demonstrations_figure(points: Sequence[Point], *, colors: Mapping[str, int]) -> Figure:
    """Return the figure of one domain: a panel a task, one line an encoder with intervals.

    Args:
        points: Of one domain.
        colors: Encoder to its place among the colours, the same in every domain.
    """
    tasks = list(dict.fromkeys(point.task for point in points))
    counts = sorted({point.demonstrations for point in points})
    columns = min(_COLUMNS, len(tasks))
    rows, legend_rows = -(-len(tasks) // columns), -(-len(colors) // 2)
    size = (max(_PANEL_IN[0] * columns, 5.0), _PANEL_IN[1] * rows + _LEGEND_ROW_IN * legend_rows + 0.2)
    figure = Figure(figsize=size, layout="constrained")
    for place, task in enumerate(tasks):
        axes = figure.add_subplot(rows, columns, place + 1)
        for encoder, color in colors.items():
            of_encoder = [point for point in points if (point.task, point.encoder) == (task, encoder)]
            if of_encoder:
                _line(axes, sorted(of_encoder, key=lambda point: point.demonstrations), place=color, num=len(colors))
        _dress(axes, title=task, counts=counts)
    figure.supxlabel("demonstrations", fontsize="medium")
    figure.supylabel("success rate", fontsize="medium")
    found = [axes.get_legend_handles_labels() for axes in figure.axes]
    lines = {name: line for handles, names in found for line, name in zip(handles, names, strict=True)}
    named = [name for name in colors if name in lines]
    figure.legend([lines[name] for name in named], named, loc="outside upper left", ncols=2, frameon=False)
    return figure


def _line(axes: Axes, points: Sequence[Point], *, place: int, num: int) -> None:
    step = 1 + _SIDESTEP * (place - (num - 1) / 2)
    rates = [point.rate for point in points]
    # a rate may lie a rounding outside of its interval
    spans = [[max(0.0, p.rate - p.low) for p in points], [max(0.0, p.high - p.rate) for p in points]]
    axes.errorbar(
        [point.demonstrations * step for point in points],
        rates,
        yerr=spans,
        fmt=f"{MARKERS[place // len(COLORS) % len(MARKERS)]}-",
        color=COLORS[place % len(COLORS)],
        markersize=4,
        linewidth=1.4,
        elinewidth=1.0,
        label=points[0].encoder,
    )


def _dress(axes: Axes, *, title: str, counts: Sequence[int]) -> None:
    axes.set_title(title, fontsize="medium", loc="left")
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(counts[0] / 1.3, counts[-1] * 1.3)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1])
    axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
