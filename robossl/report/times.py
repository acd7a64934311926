"""Where the time of runs went, as bars on one scale."""

from collections import Counter
from collections.abc import Mapping, Sequence

from robossl.report.html import element, escape
from robossl.report.records import RunRecord

_OTHER, _NAMED_PHASES = "other", 7


def times_section(runs: Sequence[RunRecord]) -> str:
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
