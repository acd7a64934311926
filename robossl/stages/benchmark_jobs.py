"""Cells of the benchmark measured side by side, in processes of one thread each.

Small networks gain little from a second thread: of `configs/benchmark/six.yaml` two cores fit policy-random-push-0 in
51 s with `num_jobs` 1, and in 66 s while they fit another one too.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from robossl.config.benchmark import BenchmarkConfig
from robossl.errors import RobosslError
from robossl.rollout import Workers
from robossl.stages.benchmark_cells import Cell
from robossl.stages.benchmark_runs import Step, steps
from robossl.stages.progress import hide_bars, progress_bar, stage_done, stage_lines

WATCH_S = 2.0


def fill(config: BenchmarkConfig, cells: Sequence[Cell]) -> None:
    """Measure the cells, and write each as soon as it is known.

    What several cells need, such as play or an encoder, is made once; a run starts when all that it needs is there.

    Raises:
        RobosslError: a run failed. What is finished stays, and the other runs go on where they are when called again.
    """
    config = replace(config, recipe=replace(config.recipe, num_workers=1))
    ways = [steps(config, cell) for cell in cells]
    waiting = {step.output: step for way in ways for step in way}
    ends = {way[-1].output: cell for cell, way in zip(cells, ways, strict=True)}
    num_jobs = config.num_jobs or len(os.sched_getaffinity(0))
    done: set[Path] = set()
    running: dict[Future[dict[str, Any] | str], tuple[Path, float]] = {}
    with _processes(num_jobs) as pool, stage_lines(len(waiting)), progress_bar() as bar:
        task = bar.add_task("runs", total=len(waiting))
        while waiting or running:
            ready = [path for path, step in waiting.items() if done.issuperset(step.needs)]
            for path in ready[: num_jobs - len(running)]:
                running[pool.submit(_work, waiting.pop(path))] = path, time.monotonic()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                path, start_s = running.pop(future)
                result = _result(future)
                if isinstance(result, str):
                    raise RobosslError(f"{path.name}: {result}")
                if path in ends:
                    ends[path].get(config.cells, partial(dict, result))
                done.add(path)
                bar.advance(task)
                stage_done(path.name, time.monotonic() - start_s)


def _result(future: Future[dict[str, Any] | str]) -> dict[str, Any] | str:
    try:
        return future.result()
    except BrokenProcessPool:
        return "its process or that beside it was killed, for want of memory maybe; try fewer at a time (--num-jobs)"


@contextmanager
def _processes(num: int) -> Iterator[ProcessPoolExecutor]:
    """Open so many processes; where the block fails they end at once, whatever they are at."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        num, mp_context=multiprocessing.get_context("spawn"), initializer=_start, initargs=(os.getpid(),)
    )
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    torch.set_num_threads(1)
    hide_bars()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, killed say: it would hold its run for minutes."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)


def _work(step: Step) -> dict[str, Any] | str:
    # the text and not the exception goes back: not every exception survives pickling
    try:
        with Workers(1) as workers:
            return step.run(workers)
    except RobosslError as error:
        return str(error)
