"""Tables of results as the command line prints them."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_FILE_WIDTH = 160
"""Of tables that go to a file, in characters."""


def print_tables(tables: Iterable[Mapping[str, Any]]) -> None:
    """Print the tables of a result, each with its note."""
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    for table in tables:
        shown = Table(title=escape(table["title"]), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name, values in zip(table["columns"], zip(*table["rows"], strict=True), strict=False):
            numeric = all(isinstance(value, int | float | None) for value in values)
            shown.add_column(escape(str(name).replace("_", " ")), justify="right" if numeric else "left")
        for row in table["rows"]:
            shown.add_row(*(escape(_cell(value)) for value in row))
        console.print(shown)
        if table.get("note"):
            console.print(escape(table["note"]), style="dim")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
