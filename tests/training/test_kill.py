"""Kill -9 at any moment, resume: the same weights, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

SCRIPT = Path(__file__).parents[1] / "tiny_pretraining.py"
NUM_STEPS = 12


def start(directory: Path) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(SCRIPT), str(directory), str(NUM_STEPS)], env=environment)


def final(directory: Path) -> dict:
    return torch.load(directory / "final.pt", weights_only=True)["weights"]


def killed_and_resumed(directory: Path, kills: int, *, seed: int) -> int:
    """Kill the run `kills` times, each time a little after a drawn number of new checkpoints; return kills done."""
    rng = np.random.default_rng(seed)
    done = 0
    for _ in range(kills):
        process = start(directory)
        before = (directory / "last.pt").stat().st_mtime_ns if (directory / "last.pt").exists() else 0
        while process.poll() is None:
            checkpoint = directory / "last.pt"
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns > before:
                break
            time.sleep(0.005)
        time.sleep(float(rng.uniform(0, 0.05)))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            done += 1
        process.wait()
    assert start(directory).wait() == 0
    return done


def check(tmp_path: Path, kills: int, *, seed: int) -> None:
    undisturbed = start(tmp_path / "undisturbed")
    done = killed_and_resumed(tmp_path / "killed", kills, seed=seed)
    assert undisturbed.wait() == 0
    assert done >= 1
    expected = final(tmp_path / "undisturbed")
    found = final(tmp_path / "killed")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_killed_and_resumed_run_has_the_weights_of_an_undisturbed_one(tmp_path) -> None:
    check(tmp_path, 2, seed=0)


@pytest.mark.slow
def test_ten_kills_change_no_bit(tmp_path) -> None:
    check(tmp_path, 10, seed=1)
