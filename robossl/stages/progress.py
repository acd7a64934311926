"""Progress with an ETA, on the terminal's error stream so that `--json` stays clean."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar("Item")
_hidden = False
_tell: ContextVar[Callable[[str], None] | None] = ContextVar("tell", default=None)


def hide_bars() -> None:
    """Show no bars from here on: this process shares its terminal with others that work at the same time."""
    global _hidden
    _hidden = True


def progress_bar() -> Progress:
    """Return a bar with count, elapsed time and ETA; silent where there is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=_hidden or not console.is_terminal)


def tracked(items: Iterable[Item], *, description: str, total: int, completed: int = 0) -> Iterator[Item]:
    """Yield the items under a progress bar that starts at `completed` of `total`."""
    with progress_bar() as progress:
        task = progress.add_task(description, total=total, completed=completed)
        for item in items:
            yield item
            progress.advance(task)


@contextmanager
def stage_lines(total: int) -> Iterator[None]:
    """Print one plain line to stderr for each stage that `stage_done` is told of, where no terminal shows bars."""
    numbers, console = count(1), Console(stderr=True)

    def tell(text: str) -> None:
        if not console.is_terminal:
            print(f"[{next(numbers)}/{total}] {text}", file=console.file, flush=True)

    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def stage_done(name: str, seconds: float | None) -> None:
    """Say that a stage took so long, or, with None, that it had finished before; silent outside `stage_lines`."""
    if tell := _tell.get():
        tell(f"{name}: {'finished already' if seconds is None else f'{seconds:.0f} s'}")
