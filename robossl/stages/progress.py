"""Progress with an ETA, on the terminal's error stream so that `--json` stays clean."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar("Item")


def progress_bar() -> Progress:
    """Return a bar with count, elapsed time and ETA; silent where there is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)


def tracked(items: Iterable[Item], *, description: str, total: int, completed: int = 0) -> Iterator[Item]:
    """Yield the items under a progress bar that starts at `completed` of `total`."""
    with progress_bar() as progress:
        task = progress.add_task(description, total=total, completed=completed)
        for item in items:
            yield item
            progress.advance(task)
