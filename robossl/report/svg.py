"""Figures of matplotlib as inline SVG in the colours of the page."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib import rc_context
from matplotlib.figure import Figure

from robossl.report.html import escape

COLORS = ("#3d74c4", "#d97f2b", "#3c9a6b", "#b8487f", "#7b68c8", "#4aa3b5", "#a9892c", "#8a8f98")
MARKERS = "osD^vP"
"""Of series: another one where the colours begin anew."""
INK = "#010203"
"""Replaced by the page's own text colour, so that figures can be read in the dark as well."""
_STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
}


@contextmanager
def page_style(salt: str) -> Iterator[None]:
    """Draw and save a figure within, in the style of the page.

    Args:
        salt: Makes the SVG's ids differ from those of other figures on the page.
    """
    with rc_context(_STYLE | {"svg.hashsalt": salt}):
        yield


def inline_svg(figure: Figure, *, label: str = "") -> str:
    """Return the picture alone, without what only a file of its own needs.

    Args:
        figure: Drawn within `page_style`.
        label: What those are told who can't see it; empty: its own texts.
    """
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg))
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    if label:
        svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)
    return svg.replace(INK, "currentColor")
