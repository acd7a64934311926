"""What policies keep of their success in each world: a dot with its interval, one colour a policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robossl.report.html import element, escape
from robossl.report.svg import COLORS, INK, MARKERS, inline_svg, page_style

_ROW_IN, _POLICY_IN, _FRAME_IN = 0.16, 0.13, 0.9
_LONG = 20
"""Letters of a name from which on four names do not fit side by side."""
_FARTHEST = 2.0
"""Where the axis ends at most: what is divided by few successes has intervals without end."""
_SHAPES = (
    ("policy", "domain", "retained", "retained_low", "retained_high"),
    ("encoder", "task", "retained", "low", "high"),
    ("task", "domain", "retained", "retained_low", "retained_high"),
)
"""Columns of who keeps, where, what part of it, and the ends of the interval: of transfer, of the benchmark, and of its
single shifts."""
_NOTE = (
    "Success over that in the world which the table names, 95 % interval: at 1 nothing is lost, at 0 all. A policy "
    "without a dot had no success to keep, or each of its episodes ran the same there. An arrow: the interval goes on."
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What one policy keeps in one world, as a fraction."""

    policy: str
    world: str
    value: float
    low: float
    high: float


def kept_of(table: Mapping[str, Any]) -> list[Kept]:
    """Return what the table says of retained success; of other tables nothing.

    Where a policy is compared with itself there is nothing to see and no dot.
    """
    shape = _shape(table)
    if shape is None:
        return []
    kept = []
    for cells in table["rows"]:
        row = dict(zip(table["columns"], cells, strict=True))
        policy, world, value, low, high = (row[name] for name in shape)
        if value is not None and world != row.get("of"):
            kept.append(Kept(policy=policy, world=world, value=value, low=low, high=high))
    return kept


def _shape(table: Mapping[str, Any]) -> tuple[str, ...] | None:
    return next((shape for shape in _SHAPES if set(table["columns"]) >= set(shape)), None)


def retention_section(tables: Sequence[Mapping[str, Any]]) -> str:
    """Return a figure for each table of retained success."""
    return "".join(_figure(table) for table in tables if kept_of(table))


def _figure(table: Mapping[str, Any]) -> str:
    kept = kept_of(table)
    words = "; ".join(f"{one.policy} in {one.world}: {one.value:.2f} ({one.low:.2f} to {one.high:.2f})" for one in kept)
    with page_style(f"retention-{table['title']}"):
        column = table["columns"].index(next(iter(_shape(table) or ())))
        colors = {name: place for place, name in enumerate(dict.fromkeys(row[column] for row in table["rows"]))}
        figure = retention_figure(kept, colors=colors)
        svg = inline_svg(figure, label=f"Retained success. {words}")
    return element("figure", svg, element("figcaption", escape(_NOTE)), class_="plot")


def retention_figure(kept: Sequence[Kept], *, colors: Mapping[str, int]) -> Figure:
    """Return the figure: worlds from top to bottom, in each the policies in their order, from 0 to at most 2.

    Args:
        kept: At least one.
        colors: Policy to its place among the colours, the same as elsewhere on the page.
    """
    worlds = list(dict.fromkeys(one.world for one in kept))
    policies = list(dict.fromkeys(one.policy for one in kept))
    height = len(worlds) * (_ROW_IN + _POLICY_IN * len(policies)) + _FRAME_IN
    figure = Figure(figsize=(7.5, height), layout="constrained")
    axes = figure.add_subplot()
    for place, policy in enumerate(policies):
        shift = 0.7 * ((place + 0.5) / len(policies) - 0.5)
        of_policy = [one for one in kept if one.policy == policy]
        _dots(axes, of_policy, [worlds.index(one.world) + shift for one in of_policy], place=colors[policy])
    axes.set_yticks(range(len(worlds)), worlds)
    axes.set_ylim(len(worlds) - 0.5, -0.5)
    axes.set_xlim(0, min(_FARTHEST, max([1.05, *(1.03 * one.high for one in kept)])))
    axes.axvline(1, color=INK, linewidth=0.8, alpha=0.5)
    for edge in range(1, len(worlds)):
        axes.axhline(edge - 0.5, color=INK, linewidth=0.5, alpha=0.12)
    axes.set_xlabel("retained success")
    axes.tick_params(axis="y", length=0)
    num_columns = 4 if max(map(len, policies)) < _LONG else 2
    figure.legend(loc="outside upper left", ncols=num_columns, frameon=False, handlelength=1.2)
    return figure


def _dots(axes: Axes, kept: Sequence[Kept], heights: Sequence[float], *, place: int) -> None:
    values = [one.value for one in kept]
    # the point of a bootstrap may lie a rounding outside of its interval
    spans = [[max(0.0, one.value - one.low) for one in kept], [max(0.0, one.high - one.value) for one in kept]]
    axes.errorbar(
        values,
        heights,
        xerr=spans,
        fmt=MARKERS[place // len(COLORS) % len(MARKERS)],
        color=COLORS[place % len(COLORS)],
        markersize=5,
        elinewidth=1.6,
        label=kept[0].policy,
    )
    cut = [height for one, height in zip(kept, heights, strict=True) if one.high > _FARTHEST]
    axes.plot([_FARTHEST] * len(cut), cut, ">", color=COLORS[place % len(COLORS)], markersize=6, clip_on=False)
