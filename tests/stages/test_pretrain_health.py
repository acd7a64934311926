"""What `robossl pretrain` says of the features while it trains, and which encoder it keeps as the best."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from two_sources import pretrain_config, run

from robossl.config.pretrain import PretrainConfig
from robossl.encoders import Encoder, build_encoder, load_card, load_encoder
from robossl.evaluation.health import Health
from robossl.stages import pretrain_sources
from robossl.stages.best_encoder import BestEncoder
from robossl.stages.health_frames import HealthFrames
from robossl.stages.pretrain_health import HealthWatch


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PretrainConfig:
    return pretrain_config(tmp_path, monkeypatch)


@pytest.fixture
def watch(config: PretrainConfig, encoder: Encoder) -> HealthWatch:
    frames = HealthFrames(pretrain_sources.open_sources(config))
    return HealthWatch(frames, encoder, best=BestEncoder(config.output / "encoder-best", {"seed": 0}))


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return build_encoder("conv", image_size=(24, 32), feature_dim=16, widths=(8, 16), strides=(4, 2))


def collapse(encoder: Encoder) -> None:
    with torch.no_grad():
        encoder.pooling.norm.weight.zero_()
        encoder.pooling.norm.bias.fill_(1.0)


def test_a_collapse_is_said_once_with_what_and_since_when(watch: HealthWatch, encoder: Encoder, caplog) -> None:
    watch.look(encoder, step=10)
    assert watch.collapsed_since is None
    collapse(encoder)
    for step in (20, 30):
        watch.look(encoder, step=step)
    (line,) = caplog.messages
    assert line.startswith("the features collapse since step 20 (seen at step 20 on 128 images): effective rank 0.0, ")
    assert "spread 0, 0." in line
    assert "at the start: the images become one; lower learning_rate" in line
    assert watch.collapsed_since == 20


def test_a_resumed_watch_knows_since_when(watch: HealthWatch, encoder: Encoder, caplog) -> None:
    good, bad = ({"health/effective_rank": rank, "health/spread": 0.5} for rank in (10.0, 0.5))
    watch.resume(40, [{"step": 9, **good}, {"step": 19, **bad}, {"step": 25, "loss": 1.0}, {"step": 29, **bad}])
    collapse(encoder)
    watch.look(encoder, step=50)
    assert caplog.messages[0].startswith("the features collapse since step 20 (seen at step 50 ")


def test_the_best_healthy_encoder_is_kept(watch: HealthWatch, encoder: Encoder, tmp_path: Path) -> None:
    directory = tmp_path / "run" / "encoder-best"
    best = watch.best
    health = Health(effective_rank=9, spread=0.5, probe_r2=0.5)
    best.offer(encoder, health, step=10, collapsed=True)
    assert best.found == {}
    for step in (11, 12):
        best.offer(encoder, replace(health, probe_r2=math.nan), step=step, collapsed=False)
        assert best.found == {"step": step}, "without a probe the last one"
    best.offer(encoder, health, step=20, collapsed=False)
    best.offer(encoder, replace(health, probe_r2=0.4), step=30, collapsed=False)
    assert load_card(directory)["best"] == {"step": 20, "probe_r2": 0.5}
    assert load_card(directory)["seed"] == 0
    assert torch.equal(load_encoder(directory).pooling.linear.weight, encoder.pooling.linear.weight)
    for step, found in ((20, {"step": 20, "probe_r2": 0.5}), (19, {})):
        again = BestEncoder(directory, {})
        again.resume(step)
        assert again.found == found, "what will be trained again is not known yet"


def test_frames_of_health_are_held_out_and_know_their_neighbours(config: PretrainConfig) -> None:
    sources = pretrain_sources.open_sources(config)
    frames = HealthFrames(sources)
    assert frames.num_spread == 128
    assert len(frames.pixels) == 128 + 4 * 16
    of_episodes, of_video = frames.parts
    assert set(of_episodes.episode.tolist()) <= set(sources[0].test.tolist())
    assert of_episodes.truth.shape == (64, 1), "no simulator state here: what is still to come"
    assert of_episodes.truth.max() == 1
    assert of_episodes.truth.min() == 0
    source = sources[0].source
    first, second = of_episodes.triples[0, 0], of_episodes.triples[0, 1]
    assert np.array_equal(first, source.frames(int(sources[0].test[0]), [0], "front")[0])
    assert np.array_equal(second, source.frames(int(sources[0].test[0]), [1], "front")[0])
    assert np.array_equal(of_episodes.alike[0], source.frames(int(sources[0].test[0]), [0], "front_look2")[0])
    assert np.array_equal(of_video.alike[0], of_video.triples[0, 1]), "one view: the frame after"


def test_the_health_of_the_features_is_logged_and_a_collapse_gives_one_line(config: PretrainConfig, caplog) -> None:
    result = run(replace(config, num_steps=20))
    rows = [json.loads(line) for line in (config.output / "metrics.jsonl").read_text().splitlines()]
    looks = {row["step"]: row for row in rows if "health/effective_rank" in row}
    assert looks.keys() == {9, 19}
    assert 2 < looks[19]["health/effective_rank"] <= 16
    assert 0.01 < result["health/spread"] <= 1
    assert caplog.messages == []

    assert result["collapsed_since"] is None
    assert result["best"] == {"step": 20}, "one held-out episode: no probe"
    assert load_card(config.output / "encoder-best")["best"] == result["best"]


def test_only_the_first_process_looks(watch: HealthWatch, encoder: Encoder) -> None:
    assert watch.hook(encoder, is_first=False)(20) == {}
    assert watch.hook(encoder, is_first=True)(20)["health/spread"] > 0
