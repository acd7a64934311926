"""Curves of metrics as inline SVG, one small axis for each kind of metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from robossl.report.records import Row
from robossl.report.svg import COLORS, INK, inline_svg, page_style
from robossl.report.words import metric_words

_MOST_POINTS, _MOST_SERIES, _SMOOTHED_FROM = 400, 8, 60
_WIDE_LABEL, _LEGEND_ROW_IN = 26, 0.16
"""Longer labels, in characters, stand one a row; height of a row of the legend."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line on an axis."""

    label: str
    steps: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]


def curves(runs: Mapping[str, Sequence[Row]], *, salt: str) -> dict[str, str]:
    """Return title, in words, to SVG.

    One run: its metrics of one kind share an axis. Several: each metric compares the runs.

    `part/psnr_db` and `part/copy_psnr_db` are of one kind, `part/loss` is of another.

    Args:
        runs: Name of a run to what its `metrics.jsonl` holds; runs of one command.
        salt: Makes the SVG's ids differ from those of other figures on the page.
    """
    axes: dict[str, dict[str, list[Curve]]] = {}
    for run, rows in runs.items():
        for metric in dict.fromkeys(key for row in rows for key in row if key != "step"):
            steps, values = _points(rows, metric)
            if len(steps) > 1 and not _repeats(rows, metric):
                short = metric.rsplit("/", 1)[-1].replace("_", " ")
                kind, label = (_kind(metric), short) if len(runs) == 1 else (metric, run)
                curve = Curve(label=label, steps=steps, values=values)
                axes.setdefault(kind, {}).setdefault(metric, []).append(curve)
    drawn = {}
    for kind, metrics in axes.items():
        found = [curve for of_metric in metrics.values() for curve in of_metric][:_MOST_SERIES]
        title = metric_words(next(iter(metrics)) if len(metrics) == 1 else kind)
        drawn[title] = _draw(found, salt=f"{salt}-{kind}")
    return drawn


def _repeats(rows: Sequence[Row], metric: str) -> bool:
    """Return whether a part says what the whole says already, like the loss of the only objective."""
    part, _, name = metric.rpartition("/")
    values = [(row[metric], row.get(name)) for row in rows if metric in row]
    return bool(part) and all(value == whole for value, whole in values)


def _kind(metric: str) -> str:
    """Return the part that a metric belongs to, with the last word of its name, for example `part psnr`."""
    part, slash, name = metric.rpartition("/")
    return f"{part} {name.rsplit('_', 1)[-1]}" if slash else metric


def _points(rows: Sequence[Row], name: str) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    found = [(row["step"], row[name]) for row in rows if isinstance(row.get(name), int | float)]
    every = max(1, len(found) // _MOST_POINTS)
    pairs = np.array(found[::every], float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _draw(series: Sequence[Curve], *, salt: str) -> str:
    with page_style(salt):
        columns = 2 if max(len(curve.label) for curve in series) <= _WIDE_LABEL else 1
        legend_rows = -(-len(series) // columns) if len(series) > 1 else 0
        figure = Figure(figsize=(3.5, 2.1 + _LEGEND_ROW_IN * legend_rows), layout="constrained")
        axes = figure.add_subplot()
        for curve, color in zip(series, COLORS, strict=False):
            _line(axes, curve, color=color)
        axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        if len(series) > 1:
            # below the axes, so that it never lies over a line
            figure.legend(loc="outside lower left", ncols=columns, frameon=False, fontsize=7.5, handlelength=1.2)
        return inline_svg(figure)


def _line(axes: Axes, curve: Curve, *, color: str) -> None:
    """Draw the curve; a long one is drawn faintly with its running mean on top."""
    steps, values, label = curve.steps, curve.values, curve.label
    if len(steps) < _SMOOTHED_FROM:
        axes.plot(steps, values, color=color, linewidth=1.4, label=label)
        return
    axes.plot(steps, values, color=color, linewidth=0.7, alpha=0.3)
    width = len(steps) // 20
    padded = np.pad(values, width, mode="edge")
    mean = np.convolve(padded, np.full(2 * width + 1, 1 / (2 * width + 1)), mode="valid")
    axes.plot(steps, mean, color=color, linewidth=1.6, label=label)
