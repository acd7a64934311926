"""`torchrun ... -m robossl pretrain` from end to end: the run of one process with the joint batch, written once."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from recordings import make_episode

from robossl import cli
from robossl.data.lerobot import EpisodeWriter

NUM_STEPS = 6
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "robossl"]
PRETRAIN = ["pretrain", "--sources.0.path=play", f"--num-steps={NUM_STEPS}", "--batch-size=4", "--log-every=1"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with episodes of two looks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))
    with EpisodeWriter(tmp_path / "play", fps_hz=20.0) as episodes:
        for seed in range(8):
            episode = make_episode(seed, num_steps=10, cameras=("front",))
            looks = episode.pixels | {"front_look2": 255 - episode.pixels["front"]}
            episodes.append(replace(episode, pixels=looks))
    return tmp_path


def _rows(run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]


def _torchrun(*words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([*TORCHRUN, *words], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(600)  # about ten seconds of work, on a machine that may be busy
@pytest.mark.usefixtures("here")
def test_two_processes_log_the_losses_of_one_with_the_joint_batch_and_only_one_writes() -> None:
    done = _torchrun(*PRETRAIN, "--output=two", "--tracking.wandb=offline")
    assert done.returncode == 0, done.stderr[-2000:]
    assert cli.main([*PRETRAIN, "--output=one"]) == 0
    joint, alone = _rows("two"), _rows("one")
    assert [row["step"] for row in joint] == list(range(NUM_STEPS)), "each step once"
    for row, expected in zip(joint, alone, strict=True):
        assert row["loss"] == pytest.approx(expected["loss"], rel=1e-4)
        assert row["grad_norm"] == pytest.approx(expected["grad_norm"], rel=1e-3)
        parts = [name for name in expected if name.endswith("/loss")]
        assert parts
        assert [row[name] for name in parts] == pytest.approx([expected[name] for name in parts], rel=1e-3)
    assert done.stdout.count("done: ") == 1
    assert "Warning" not in done.stderr
    assert len(list(Path("two/wandb").glob("offline-run-*"))) == 1
    finished = Path("two/result.json").read_text()
    other = _torchrun(*PRETRAIN, "--output=two", "--tracking.wandb=offline", "--seed=1")
    assert other.returncode != 0
    assert other.stdout == ""
    assert other.stderr.count("robossl: ") == 1
    assert "robossl: two holds a run with other settings (seed is 0 there, 1 here)" in other.stderr
    same = _torchrun(*PRETRAIN, "--output=two", "--tracking.wandb=offline")
    assert same.returncode == 0
    assert (same.stdout.count("done: "), same.stderr.count("is finished already")) == (1, 1)
    assert Path("two/result.json").read_text() == finished
