"""Writing while the next episodes are made."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD = 2
"""Episodes that may wait to be written: more would only fill the memory if writing did not keep up."""
Item = TypeVar("Item")


def written_behind(writes: Iterable[tuple[Callable[[], object], Item]]) -> Generator[Item, None, None]:
    """Do the writes in a thread of its own, in order, and yield what belongs to each once it is done.

    Encoding holds the interpreter's lock for a small part of the time. If making an episode fails, those before it
    are still written; an error of a write is raised here.

    Args:
        writes: what writes an episode, and anything that comes back when that is on disk.
    """
    waiting: deque[tuple[Future[object], Item]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="episode-writer") as thread:
        for write, item in writes:
            waiting.append((thread.submit(write), item))
            while waiting and (len(waiting) > AHEAD or waiting[0][0].done()):
                yield _next(waiting)
        while waiting:
            yield _next(waiting)


def _next(waiting: "deque[tuple[Future[object], Item]]") -> Item:
    future, item = waiting.popleft()
    future.result()
    return item
