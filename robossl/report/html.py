"""Small pieces of HTML; every text from a run goes through `escape`."""

import base64
import html
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".mp4": "video/mp4"}


def escape(text: object) -> str:
    """Return the text with HTML's own characters replaced."""
    return html.escape(str(text))


def page(
    title: str, sections: Mapping[str, str], *, about: str, lead: str = "", terms: Mapping[str, str] | None = None
) -> str:
    """Return a whole page; sections without content are left out.

    Args:
        title: Heading.
        sections: Heading to inner HTML.
        about: A small line below the title.
        lead: A sentence or two below it.
        terms: Words that a reader has to know, and what they mean.
    """
    body = [element("section", element("h2", escape(name)), inner) for name, inner in sections.items() if inner]
    resources = files("robossl.report")
    return Template(resources.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        lead=element("p", escape(lead), class_="lead") if lead else "",
        terms=_terms(terms or {}),
        about=escape(about),
        style=resources.joinpath("page.css").read_text(encoding="utf-8"),
        body="\n".join(body),
    )


def _terms(terms: Mapping[str, str]) -> str:
    pairs = (element("dt", escape(term)) + element("dd", escape(meaning)) for term, meaning in terms.items())
    return element("dl", *pairs, class_="terms") if terms else ""


def element(tag: str, *inner: str, class_: str = "") -> str:
    """Return an element around inner HTML."""
    opening = f'{tag} class="{class_}"' if class_ else tag
    return f"<{opening}>{''.join(inner)}</{tag}>"


def number(value: Any) -> str:
    """Return a value as readers want it: three digits, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def data_address(content: bytes, *, kind: str) -> str:
    """Return a file as a `data:` address, so that the page needs no other file.

    Args:
        content: What the file holds.
        kind: Its ending, `.png`, `.jpg` or `.mp4`.
    """
    return f"data:{_TYPES[kind]};base64,{base64.b64encode(content).decode('ascii')}"


def file_address(path: Path) -> str:
    """Return a picture or a video as a `data:` address."""
    return data_address(path.read_bytes(), kind=path.suffix)


def table(columns: list[str], rows: list[list[Any]], *, note: str = "") -> str:
    """Return a table; columns of numbers are set right."""
    numeric = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(columns))]
    kinds = ["number" if is_numeric else "" for is_numeric in numeric]
    head = "".join(element("th", escape(_words(c)), class_=k) for c, k in zip(columns, kinds, strict=True))
    body = "".join(
        element("tr", *(element("td", escape(number(v)), class_=k) for v, k in zip(row, kinds, strict=True)))
        for row in rows
    )
    inner = element("table", element("thead", element("tr", head)), element("tbody", body))
    return element("div", inner, class_="scroll") + (element("p", escape(note), class_="note") if note else "")


def _words(column: object) -> str:
    return str(column).replace("_", " ")
