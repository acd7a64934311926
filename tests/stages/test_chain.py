"""A chain keeps what is finished, and never mixes results of different inputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import point_env  # noqa: F401  registers the env
import pytest
import torch
from episodes import POINT_ENV
from recordings import make_episode

from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.config.pretrain import EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.config.probe import ProbeConfig
from robossl.data.lerobot import EpisodeWriter
from robossl.encoders import build_encoder, save_encoder
from robossl.stages.chain import run_stage
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune
from robossl.stages.pretrain import pretrain
from robossl.stages.probe import probe

STAGES: dict[str, Callable[..., dict[str, Any]]] = {
    "pretrain": pretrain,
    "probe": probe,
    "finetune": finetune,
    "evaluate": evaluate,
}


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A data set, an encoder, and what each stage is to do with them."""
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))
    _record(tmp_path / "data", num_episodes=3)
    _draw_encoder(tmp_path / "encoder", seed=0)
    return {
        "pretrain": PretrainConfig(
            output=tmp_path / "pretrain",
            sources=(SourceConfig(path=tmp_path / "data"),),
            objectives=(ObjectiveConfig(name="time_contrast"),),
            encoder=EncoderConfig(feature_dim=8, params={"widths": (8, 8), "strides": (2, 2)}),
            image_size=(16, 16),
            batch_size=2,
            num_steps=1,
        ),
        "probe": ProbeConfig(
            output=tmp_path / "probe", source=tmp_path / "data", encoder=str(tmp_path / "encoder"), pca=0
        ),
        "finetune": FinetuneConfig(
            output=tmp_path / "finetune",
            demonstrations=tmp_path / "data",
            num_demonstrations=2,
            encoder=str(tmp_path / "encoder"),
            num_steps=1,
            num_augmentations=0,
        ),
        "evaluate": EvaluateConfig(
            output=tmp_path / "evaluate",
            policy=str(tmp_path / "finetune/policy"),
            env_id=POINT_ENV,
            domains=("nominal",),
            num_episodes=1,
            num_videos=0,
            num_workers=1,
        ),
    }


def _record(path: Path, *, num_episodes: int) -> None:
    with EpisodeWriter(path, fps_hz=20.0) as episodes:
        for seed in range(episodes.num_episodes, num_episodes):
            episodes.append(make_episode(seed, cameras=("front",)))


def _draw_encoder(path: Path, *, seed: int) -> None:
    torch.manual_seed(seed)
    save_encoder(build_encoder("conv", image_size=16, feature_dim=8, widths=(8, 8)), path)


def _ran(configs: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Run the chain once; return stage to what it says, of those that ran."""
    capsys.readouterr()
    said = {}
    for name, stage in STAGES.items():
        ran = []

        def watched(config: Any, *, run: Any, stage: Any = stage, ran: list[bool] = ran) -> dict[str, Any]:
            ran.append(True)
            return stage(config, run=run)

        result = run_stage(name, watched, configs[name])
        assert result["command"] == name
        output = capsys.readouterr().err
        if ran:
            said[name] = output
    return said


def test_a_finished_chain_runs_again_only_where_an_input_was_made_anew(
    configs: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ran(configs, capsys).keys() == STAGES.keys()
    assert _ran(configs, capsys) == {}, "nothing changed"

    _draw_encoder(tmp_path / "encoder", seed=1)
    said = _ran(configs, capsys)
    assert said.keys() == {"probe", "finetune", "evaluate"}, "the policy is another one with its encoder"
    assert said["probe"] == f"robossl: {tmp_path}/encoder changed since {tmp_path}/probe was made: run again\n"
    assert f"{tmp_path}/finetune/policy changed" in said["evaluate"]

    _record(tmp_path / "data", num_episodes=4)
    said = _ran(configs, capsys)
    assert said.keys() >= {"pretrain", "probe", "finetune"}
    assert f"{tmp_path}/data changed" in said["pretrain"]
    assert _ran(configs, capsys) == {}


def test_a_result_outlives_data_that_was_removed(
    configs: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ran(configs, capsys)
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    assert _ran(configs, capsys) == {}
