"""Runs of the benchmark side by side: each once, after what it needs, and none goes on when one failed."""

import json
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from measured import measured

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.recipe import RecipeConfig
from robossl.errors import RobosslError
from robossl.rollout import Workers
from robossl.runs import open_run
from robossl.stages import benchmark_jobs, benchmark_runs
from robossl.stages.benchmark import benchmark
from robossl.stages.benchmark_cells import Cell
from robossl.stages.benchmark_runs import DOMAINS, Step


@dataclass(frozen=True, kw_only=True)
class Written:
    """Stands for the step of one name: writes what it found when it ran."""

    output: Path
    needs: tuple[Path, ...]
    end: str
    """How it ends before that: "", "fails" or "is killed"."""

    def run(self, workers: Workers) -> dict[str, Any]:
        """Return a measurement, a moment later."""
        if self.end == "fails":
            raise RobosslError("no frames")
        if self.end == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        there = [path.name for path in self.needs if path.exists()]
        time.sleep(0.2)
        self.output.parent.mkdir(parents=True, exist_ok=True)
        told = {"pid": os.getpid(), "threads": torch.get_num_threads(), "workers": workers.num_workers, "there": there}
        with self.output.open("x") as file:  # a second run would be an error
            json.dump(told, file)
        return measured(1, 0, domains=DOMAINS)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BenchmarkConfig:
    monkeypatch.setattr(benchmark_runs, "world", lambda task, domains: "as it was")
    return BenchmarkConfig(
        output=tmp_path / "runs",
        cells=tmp_path / "cells",
        recipe=RecipeConfig(num_workers=2),
        tasks=("reach",),
        seeds=(0,),
        num_eval_episodes=2,
        num_jobs=2,
    )


def stand_in(monkeypatch: pytest.MonkeyPatch, **ends: str) -> None:
    """Replace each step by one that only writes, or ends otherwise as told for its name."""

    def steps(config: BenchmarkConfig, cell: Cell) -> list[Written]:
        return [written(step) for step in benchmark_runs.steps(config, cell)]

    def written(step: Step) -> Written:
        return Written(output=step.output, needs=step.needs, end=ends.get(step.output.name.replace("-", "_"), ""))

    monkeypatch.setattr(benchmark_jobs, "steps", steps)


def run(config: BenchmarkConfig) -> dict[str, Any]:
    with open_run(config.output, command="benchmark", config=config) as opened:
        return opened.finish(benchmark(config, run=opened))


def test_each_run_is_made_once_after_what_it_needs_and_two_go_on_at_a_time(
    config: BenchmarkConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch)
    rows = run(config)["tables"][0]["rows"]
    assert {tuple(row[4:7]) for row in rows} == {(2, "0.50", 0.5)}
    told = {path.name: json.loads(path.read_text()) for path in config.output.glob("????????/*") if path.is_file()}
    assert len({one["pid"] for one in told.values()}) == 2
    assert {(one["threads"], one["workers"]) for one in told.values()} == {(1, 1)}
    assert os.getpid() not in {one["pid"] for one in told.values()}
    assert told["play-reach"]["there"] == []
    assert told["pretrain-0"]["there"] == ["play-reach"]
    assert told["policy-pretrained-reach-0"]["there"] == ["play-reach", "pretrain-0", "demonstrations-reach-0"]
    assert told["policy-state-reach-0"]["there"] == ["demonstrations-reach-0"]
    assert told["evaluate-state-reach-0"]["there"] == ["policy-state-reach-0"]
    assert len(list(config.cells.glob("*.json"))) == 6


@pytest.mark.parametrize(
    ("end", "text"), [("fails", "policy-scratch-reach-0: no frames"), ("is killed", r"was killed, .* \(--num-jobs\)")]
)
def test_a_run_that_fails_is_named_and_no_process_stays(
    config: BenchmarkConfig, monkeypatch: pytest.MonkeyPatch, end: str, text: str
) -> None:
    stand_in(monkeypatch, policy_scratch_reach_0=end)
    with pytest.raises(RobosslError, match=text):
        run(replace(config, encoders=("state", "scratch")))
    assert not multiprocessing.active_children()
    assert "reach-scratch-0" not in {path.stem for path in config.cells.glob("*.json")}
