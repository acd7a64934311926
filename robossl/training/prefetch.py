"""Batches read ahead by one thread, while the processor works on the one before."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

Batch = TypeVar("Batch")


class Prefetcher(Generic[Batch]):
    """Iterates over `read(step)` for the steps of a range, reading ahead in a thread.

    One thread and not several processes: frames come from a memory-mapped cache, so reading is copying, which frees
    the interpreter's lock; processes would copy every batch once more.
    """

    def __init__(self, read: Callable[[int], Batch], steps: range, *, depth: int = 2) -> None:
        """Prepare to read.

        Args:
            read: gives the batch of a step; called from the thread, in order.
            steps: to be read.
            depth: batches that are kept ready.
        """
        self.waited_s = 0.0
        self._read = read
        self._steps = steps
        self._ready: queue.Queue[tuple[Batch | None, BaseException | None]] = queue.Queue(maxsize=depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="prefetch", daemon=True)

    def __enter__(self) -> "Prefetcher[Batch]":
        """Start reading."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading and wait for the thread."""
        self._stopped.set()
        while self._thread.is_alive():
            self._drop_one()
            self._thread.join(timeout=0.01)

    def __iter__(self) -> Iterator[tuple[int, Batch]]:
        """Yield (step, batch); an error of `read` is raised here."""
        for step in self._steps:
            start_s = time.perf_counter()
            batch, error = self._ready.get()
            self.waited_s += time.perf_counter() - start_s
            if error is not None or batch is None:
                raise error or RuntimeError("read returned nothing")
            yield step, batch

    def _fill(self) -> None:
        for step in self._steps:
            if self._stopped.is_set():
                return
            try:
                item: tuple[Batch | None, BaseException | None] = (self._read(step), None)
            except BaseException as error:  # handed to the training thread, which raises it
                item = (None, error)
            self._ready.put(item)
            if item[1] is not None:
                return

    def _drop_one(self) -> None:
        try:
            self._ready.get_nowait()
        except queue.Empty:
            return
