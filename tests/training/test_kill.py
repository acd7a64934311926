"""Kill -9 at any moment, resume: the same weights, bit for bit."""

import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_pretraining import run_to_the_end

Start = Callable[[Path, int], BaseProcess]
STEPS_A_KILL = 6
"""More than pass between a start and its kill, so that no run ends before the last kill."""


@pytest.fixture(scope="module")
def start() -> Start:
    """Return what starts a run in a process of its own; they are forked from one that has imported torch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tiny_pretraining"])

    def started(directory: Path, num_steps: int) -> BaseProcess:
        process = context.Process(target=run_to_the_end, args=(directory, num_steps))
        process.start()
        return process

    return started


def final(directory: Path) -> dict:
    return torch.load(directory / "final.pt", weights_only=True)["weights"]


def killed_and_resumed(start: Start, directory: Path, kills: int, *, seed: int) -> int:
    """Kill the run `kills` times, each time a little after one or two new checkpoints, and end it; return the kills."""
    rng = np.random.default_rng(seed)
    num_steps, done = STEPS_A_KILL * kills, 0
    for _ in range(kills):
        process = start(directory, num_steps)
        for _ in range(int(rng.integers(1, 3))):
            _wait_for_checkpoint(directory / "last.pt", process)
        time.sleep(float(rng.uniform(0, 0.05)))
        process.kill()
        process.join()
        done += process.exitcode == -signal.SIGKILL
    assert ended(start(directory, num_steps)) == 0
    return done


def _wait_for_checkpoint(checkpoint: Path, process: BaseProcess) -> None:
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
    while process.is_alive() and not (checkpoint.exists() and checkpoint.stat().st_mtime_ns > before):
        time.sleep(0.005)


def ended(process: BaseProcess) -> int | None:
    process.join()
    return process.exitcode


def check(start: Start, tmp_path: Path, kills: int, *, seed: int) -> None:
    undisturbed = start(tmp_path / "undisturbed", STEPS_A_KILL * kills)
    done = killed_and_resumed(start, tmp_path / "killed", kills, seed=seed)
    assert ended(undisturbed) == 0
    assert done == kills
    expected = final(tmp_path / "undisturbed")
    found = final(tmp_path / "killed")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_killed_and_resumed_run_has_the_weights_of_an_undisturbed_one(start: Start, tmp_path: Path) -> None:
    check(start, tmp_path, 2, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(1800)  # twelve runs, on a machine that may be busy
def test_ten_kills_change_no_bit(start: Start, tmp_path: Path) -> None:
    check(start, tmp_path, 10, seed=1)
