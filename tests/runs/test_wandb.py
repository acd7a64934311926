"""The offline W&B run holds what the run's own files hold, read back with W&B's own messages."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import wandb

from robossl.runs.wandb_feed import WandbFeed

_RUN = """
import sys
from pathlib import Path
import numpy as np
from robossl.config.tracking import TrackingConfig
from robossl.runs import open_run

path, stop = Path(sys.argv[1]), int(sys.argv[2])
tracking = TrackingConfig(wandb="offline")
with open_run(path, command="pretrain", config=tracking, tracking=tracking) as run:
    start = 3 if run.resumed else 0
    run.tracker.cut_back(start)
    for step in range(start, stop):
        run.tracker.log(step, {"loss": step / 10, "lr": 0.1})
    run.tracker.log_video("rollout/reach", np.zeros((4, 64, 64, 3), np.uint8), step=stop)
    run.encoder.mkdir(exist_ok=True)
    (run.encoder / "model.bin").write_text("weights")
    run.tracker.log_artifact("encoder", kind="encoder", path=run.encoder, inputs={"episodes": "sha256:abc"})
    run.finish({"loss": 0.0})
"""


@pytest.fixture
def reader() -> ModuleType:
    path = Path(__file__).parents[2] / "tools/read_wandb.py"
    spec = importlib.util.spec_from_file_location("read_wandb", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(900)  # several processes of W&B, on a machine that may be busy
def test_offline_run_reads_back_whole_and_goes_on_under_one_id(tmp_path: Path, reader: ModuleType) -> None:
    home, run = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    for stop in (5, 400):  # the second start is a resume from step 3; its record crosses blocks of 32 KiB
        environment = os.environ | {"HOME": str(home)}
        subprocess.run(
            [sys.executable, "-c", _RUN, str(run), str(stop)], check=True, env=environment, capture_output=True
        )

    records = list(reader.read_records(reader.latest_file(run)))
    rows = reader.history(records)
    logged = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    sent = [{"step": row["train_step"], "loss": row["loss"], "lr": row["lr"]} for row in rows if "loss" in row]
    assert sent == logged
    assert [row["step"] for row in logged] == list(range(400))

    video = next(row["rollout/reach.path"] for row in rows if "rollout/reach.path" in row)
    assert (reader.latest_file(run).parent / "files" / video).read_bytes() == (
        run / "videos/rollout-reach.mp4"
    ).read_bytes()

    artifact = next(r.artifact for r in records if r.HasField("artifact"))
    digest = json.loads((run / "result.json").read_text())["artifacts"]["encoder"]["digest"]
    assert (artifact.name, artifact.type) == ("encoder", "encoder")
    assert json.loads(artifact.metadata) == {"digest": digest, "inputs": {"episodes": "sha256:abc"}}

    assert len({p.name.split("-")[-1] for p in (run / "wandb").glob("offline-run-*")}) == 1
    assert [p for p in home.rglob("*") if p.is_file()] == []


class _OnlineRun:
    """What WandbFeed uses of an online run, with nobody at the other end."""

    def __init__(self) -> None:
        self.summary = {"train_step": 1}
        self.rows: list[dict[str, Any]] = []
        self.used: list[str] = []
        self.aliases: list[str] = []

    def define_metric(self, name: str, step_metric: str | None = None) -> None:
        assert step_metric in (None, "train_step")

    def log(self, row: dict[str, Any]) -> None:
        self.rows.append(row)

    def use_artifact(self, name: str) -> None:
        if name not in ("episodes:sha256-1", "encoder:sha256-2"):
            raise wandb.errors.CommError("not found")
        self.used.append(name)

    def log_artifact(self, artifact: wandb.Artifact, aliases: list[str]) -> None:
        self.aliases = aliases


def test_online_only_what_is_missing_is_sent_and_inputs_are_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online = _OnlineRun()
    asked = SimpleNamespace()
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(wandb, "init", lambda **kwargs: vars(asked).update(kwargs) or online)
    feed = WandbFeed(
        tmp_path, run_id="x", name="n", project="p", mode="online", config={}, rows=[{"step": s} for s in range(4)]
    )
    (tmp_path / "model.bin").write_text("weights")
    inputs = {"0-play": "sha256:1", "encoder": "sha256:2", "elsewhere": "sha256:4"}
    feed.log_artifact("encoder", kind="encoder", path=tmp_path / "model.bin", digest="sha256:3", inputs=inputs)
    assert asked.resume == "allow"
    assert [row["train_step"] for row in online.rows] == [2, 3]
    assert online.used == ["episodes:sha256-1", "encoder:sha256-2"]
    assert online.aliases == ["latest", "sha256-3"]


_CHAIN = """
from robossl import cli

def run(*words):
    assert cli.main([*words, "--tracking.wandb=offline"]) == 0

run("collect", "--env-id=point_env:test/Point-v0", "--image-size=32", "--policy=expert", "--num-episodes=4",
    "--num-workers=1", "--output=data")
run("pretrain", "--sources.0.path=data", "--objectives.0.name=time_contrast", "--image-size", "32", "32",
    "--num-steps=20", "--batch-size=2", "--log-every=1", "--output=pretrain")
run("finetune", "--demonstrations=data", "--num-demonstrations=3", "--encoder=pretrain/encoder", "--num-steps=2",
    "--output=finetune")
run("evaluate", "--policy=finetune/policy", "--env-id=point_env:test/Point-v0", "--domains=nominal",
    "--num-episodes=2", "--num-workers=1", "--output=evaluate")
"""
_CHAIN_RUNS = {"data/robossl": "episodes", "pretrain": "encoder", "finetune": "policy", "evaluate": None}


@pytest.mark.timeout(900)  # four commands, on a machine that may be busy
def test_offline_runs_of_a_chain_hold_every_step_the_videos_and_the_lineage(tmp_path: Path, reader: ModuleType) -> None:
    environment = os.environ | {"ROBOSSL_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-c", _CHAIN], check=True, env=environment, capture_output=True, cwd=tmp_path)
    digests: dict[str, str] = {}
    for name, made in _CHAIN_RUNS.items():
        run = tmp_path / name
        file = reader.latest_file(run)
        records = list(reader.read_records(file))
        rows = reader.history(records)
        _check_steps(run, rows)
        videos = sorted(file.parent / "files" / row[key] for row in rows for key in row if key.endswith(".path"))
        assert {path.read_bytes() for path in videos} == {path.read_bytes() for path in run.glob("videos/*.mp4")}
        assert bool(videos) == (name in ("data/robossl", "evaluate"))
        result = json.loads((run / "result.json").read_text())
        artifacts = {r.artifact.name: json.loads(r.artifact.metadata) for r in records if r.HasField("artifact")}
        assert artifacts == {key: {k: of[k] for k in ("digest", "inputs")} for key, of in result["artifacts"].items()}
        assert list(artifacts) == ([made] if made else [])
        assert set(result["inputs"].values()) <= set(digests.values()), "each was made by a run before"
        if result["inputs"]:
            config = {item.key: item.value_json for r in records for item in r.config.update}
            assert json.loads(config["inputs"]) == result["inputs"]
        digests |= {key: of["digest"] for key, of in artifacts.items()}
    assert digests.keys() == {"episodes", "encoder", "policy"}
    assert result["inputs"] == {"policy": digests["policy"]}


def _check_steps(run: Path, rows: list[dict[str, Any]]) -> None:
    """Every row of `metrics.jsonl`, in order and whole, is what W&B was sent."""
    if (run / "metrics.jsonl").exists():
        logged = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        sent = [{key: value for key, value in row.items() if key[0] != "_"} for row in rows]
        sent = [{"step": row.pop("train_step")} | row for row in sent if not any(key.endswith(".path") for key in row)]
        assert sent == logged
        assert logged
