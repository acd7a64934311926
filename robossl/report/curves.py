"""Curves of metrics as inline SVG, one small axis for each group of metrics."""

import io
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from robossl.report.records import Row

COLORS = ("#3d74c4", "#d97f2b", "#3c9a6b", "#b8487f", "#7b68c8", "#4aa3b5", "#a9892c", "#8a8f98")
_INK = "#010203"
"""Replaced by the page's own text colour, so that curves can be read in the dark as well."""
_MOST_POINTS, _MOST_SERIES, _SMOOTHED_FROM = 400, 8, 60
_STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
}


def curves(rows: Sequence[Row], *, salt: str) -> dict[str, str]:
    """Return group of metrics to SVG. `loss/a` and `loss/b` share an axis; a metric without a slash has its own.

    Args:
        rows: What `metrics.jsonl` holds.
        salt: Makes the SVG's ids differ from those of other figures on the page.
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(key for row in rows for key in row if key != "step"):
        groups.setdefault(name.split("/", 1)[0], []).append(name)
    series = {group: [(name, *_points(rows, name)) for name in names] for group, names in groups.items()}
    return {
        group: _draw([one for one in found if len(one[1]) > 1][:_MOST_SERIES], group, salt=f"{salt}-{group}")
        for group, found in series.items()
        if any(len(steps) > 1 for _, steps, _ in found)
    }


def _points(rows: Sequence[Row], name: str) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    found = [(row["step"], row[name]) for row in rows if isinstance(row.get(name), int | float)]
    every = max(1, len(found) // _MOST_POINTS)
    pairs = np.array(found[::every], float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _draw(series: Sequence[tuple[str, np.ndarray, np.ndarray]], group: str, *, salt: str) -> str:
    with rc_context(_STYLE | {"svg.hashsalt": salt}):
        figure = Figure(figsize=(3.5, 2.1), layout="constrained")
        axes = figure.add_subplot()
        for (name, steps, values), color in zip(series, COLORS, strict=False):
            _line(axes, steps, values, label=name.removeprefix(f"{group}/"), color=color)
        axes.grid(axis="y", color=_INK, alpha=0.12, linewidth=0.6)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        if len(series) > 1:
            axes.legend(frameon=False, fontsize=7.5, handlelength=1.2)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _inline(text.getvalue())


def _line(axes: Axes, steps: np.ndarray, values: np.ndarray, *, label: str, color: str) -> None:
    """Draw the curve; a long one is drawn faintly with its running mean on top."""
    if len(steps) < _SMOOTHED_FROM:
        axes.plot(steps, values, color=color, linewidth=1.4, label=label)
        return
    axes.plot(steps, values, color=color, linewidth=0.7, alpha=0.3)
    width = len(steps) // 20
    padded = np.pad(values, width, mode="edge")
    mean = np.convolve(padded, np.full(2 * width + 1, 1 / (2 * width + 1)), mode="valid")
    axes.plot(steps, mean, color=color, linewidth=1.6, label=label)


def _inline(svg: str) -> str:
    """Keep the picture and drop what only a file of its own needs."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg))
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    return svg.replace(_INK, "currentColor")
