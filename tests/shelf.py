"""A folder of good inputs and of damaged ones, for the tests of what commands refuse."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recordings import make_episode, write_stamped

from robossl.data.lerobot import EpisodeWriter
from robossl.encoders import build_encoder, save_encoder
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import ExecutionSpec, save_policy
from robossl.runs.files import write_json

CAMERA = "front"
GARBAGE = b"no such thing" * 40


def fill_shelf(here: Path) -> None:
    """Write data sets, videos, encoders, policies, runs and settings, good ones and damaged ones."""
    _data_sets(here)
    _videos(here)
    _encoders(here)
    _policies(here)
    (here / "file").write_text("a file")
    for name, record in {"broken": "{no", "list": "[1]", "empty": "{}"}.items():
        (here / "runs" / name).mkdir(parents=True)
        (here / "runs" / name / "run.json").write_text(record)
    shutil.copytree(here / "runs/empty", here / "runs/metrics")
    (here / "runs/metrics/run.json").write_text('{"command": "pretrain"}')
    (here / "runs/metrics/config.yaml").write_text("")
    (here / "runs/metrics/metrics.jsonl").write_text("{no\n")
    shutil.copytree(here / "runs/metrics", here / "runs/result")
    (here / "runs/result/result.json").write_text("{no")
    for name, text in {
        "shipped": "# robossl pretrain shipped.yaml\nsources: []",
        "list": "- 1",
        "twice": "seed: 1\nseed: 2",
        "open": "seed: [1",
    }.items():
        (here / f"{name}.yaml").write_text(text)


def _data_sets(here: Path) -> None:
    with EpisodeWriter(here / "data", fps_hz=20.0) as episodes:
        for seed in range(3):
            episodes.append(make_episode(seed, cameras=(CAMERA,)))
    damaged = {
        "info": "meta/info.json",
        "episodes": "meta/episodes/chunk-000/file-000.parquet",
        "rows": "data/chunk-000/file-000.parquet",
        "extras": "meta/robossl_episodes.jsonl",
        "video": f"videos/observation.images.{CAMERA}/chunk-000/file-000.mp4",
    }
    for name, path in damaged.items():
        shutil.copytree(here / "data", here / "damaged" / name)
        (here / "damaged" / name / path).write_bytes(GARBAGE)
    shutil.copytree(here / "data", here / "damaged/list")
    (here / "damaged/list/meta/info.json").write_text("[1]")
    shutil.copytree(here / "data", here / "still")
    info = json.loads((here / "still/meta/info.json").read_text())
    del info["features"]["action"]
    write_json(here / "still/meta/info.json", info)


def _videos(here: Path) -> None:
    for name in ("videos", "corrupt", "nothing"):
        (here / name).mkdir()
    write_stamped(here / "videos/a.mp4", 12)
    (here / "corrupt/a.mp4").write_bytes(GARBAGE)


def _encoders(here: Path) -> None:
    good = save_encoder(build_encoder("conv", image_size=16, feature_dim=8, widths=(8, 8)), here / "encoder")
    card = json.loads((good / "card.json").read_text())
    changed = {
        "architecture": {"architecture": "konv"},
        "arguments": {"arguments": {"image_size": "big"}},
        "none": {"arguments": None},
        "size": {"arguments": card["arguments"] | {"feature_dim": 9}},
    }
    for name, values in changed.items():
        shutil.copytree(good, here / "encoders" / name)
        write_json(here / "encoders" / name / "card.json", card | values)
    for name, file in {"card": "card.json", "weights": "model.safetensors"}.items():
        shutil.copytree(good, here / "encoders" / name)
        (here / "encoders" / name / file).write_bytes(GARBAGE)


def _policies(here: Path) -> None:
    _policy(here / "policy")
    _policy(here / "policies/actions", action_dim=2)
    _policy(here / "policies/proprio", proprio_dim=7)
    _policy(here / "policies/scale", trained_on={"action_scale": {"x_m": 0.03, "y_m": 0.03, "z_m": 0.03}})
    _policy(here / "policies/chunks", execute_steps=2)
    _policy(here / "policies/wide", trained_on={"image_size": [12, 16]})
    _policy(here / "policies/push", trained_on={"env_id": "robossl/PandaPush-v0"})
    _policy(here / "policies/reach", trained_on={"env_id": "robossl/PandaReach-v0"})
    _policy(here / "policies/camera", cameras=("side",))
    _policy(here / "policies/encoder")
    other = build_encoder("conv", image_size=32, feature_dim=8, widths=(8, 8))
    save_encoder(other, here / "policies/encoder/encoder")
    for name, file in {"card": "policy.json", "weights": "model.safetensors"}.items():
        _policy(here / "policies" / name)
        (here / "policies" / name / file).write_bytes(GARBAGE)
    for name in ("list", "head"):
        _policy(here / "policies" / name)
    (here / "policies/list/policy.json").write_text("[1]")
    card = json.loads((here / "policies/head/policy.json").read_text())
    write_json(here / "policies/head/policy.json", card | {"head": {"hidden": []}})


def _policy(
    path: Path,
    *,
    cameras: tuple[str, ...] = ("front",),
    action_dim: int = 3,
    proprio_dim: int = 4,
    trained_on: Mapping[str, Any] | None = None,
    execute_steps: int = 1,
) -> None:
    encoder = build_encoder("conv", image_size=16, feature_dim=8, widths=(8, 8), pooling="spatial_softmax")
    head = HeadSpec(proprio_dim=proprio_dim, state_dim=0, action_dim=action_dim, chunk_length=2, hidden=(8,))
    network = PolicyNetwork(head, encoder=encoder, cameras=cameras)
    card = {"trained_on": {"image_size": 16, "seeds": [3], **(trained_on or {})}}
    save_policy(network, path, execution=ExecutionSpec(execute_steps=execute_steps), card_extra=card)
