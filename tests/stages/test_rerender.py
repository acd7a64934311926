"""`robossl rerender` and pretraining on pictures that are drawn anew."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from episodes import POINT_ENV

from robossl import cli
from robossl.config.pretrain import EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.config.rerender import RerenderConfig
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource
from robossl.encoders import load_encoder
from robossl.errors import ConfigError, DataError
from robossl.policies.agents import Scripted
from robossl.rollout import EnvSpec, SecondLook, rollout
from robossl.runs import open_run
from robossl.stages.pretrain import pretrain
from robossl.stages.rerender import rerender
from robossl.training import loop

PUSH = "robossl/PandaPush-v0"


def record(path: Path, *, domain: str = "randomized", num_episodes: int = 4, second_look: bool = True) -> Path:
    spec = EnvSpec(env_id=POINT_ENV, domain=domain, image_size=16)
    policy, looks = Scripted(kind="play"), SecondLook() if second_look else None
    with EpisodeWriter(path, fps_hz=20, crf=0) as writer:
        for episode in rollout(spec, policy, num_episodes=num_episodes, seed=0, second_look=looks):
            writer.append(episode)
    return path


@pytest.fixture
def play(tmp_path: Path) -> Path:
    return record(tmp_path / "play")


def run(config: RerenderConfig) -> dict[str, Any]:
    with open_run(config.run_directory, command="rerender", config=config) as opened:
        return opened.finish(rerender(config, run=opened))


def test_the_same_episodes_come_out_under_other_looks(play: Path, tmp_path: Path) -> None:
    result = run(RerenderConfig(dataset=play, output=tmp_path / "again", num_looks=3, image_size=24))
    old, new = LeRobotSource(play), LeRobotSource(tmp_path / "again")
    assert result["num_episodes"] == 4
    assert result["renderer"] == "numpy"
    assert new.cameras == ("front", "front_look2", "front_look3")
    assert new.lengths.tolist() == old.lengths.tolist()
    for key in old.features:
        rows = range(int(old.lengths[2]))
        np.testing.assert_array_equal(new.values(2, rows, key), old.values(2, rows, key))
        assert new.dtype(key) == old.dtype(key)
    corners = [new.frames(2, [3], camera)[0, :, 0, 0].astype(int) for camera in new.cameras]
    assert new.frames(2, [3], "front").shape == (1, 3, 24, 24)
    assert all(np.abs(a - b).max() > 4 for a, b in pairwise(corners))
    told = new.episode_metadata(2)
    assert told["seed"] == 2
    assert told["task"] == old.episode_metadata(2)["task"]
    assert told["rerendered_from"] == {"digest": old.digest, "episode": 2}
    assert new.episode_key(2) == old.episode_key(2), "so that a split keeps both on one side"


def test_a_set_that_was_drawn_again_is_an_input_where_another_output_is_named(
    play: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert cli.main(["rerender", str(play), f"--output={first}", "--num-looks=1"]) == 0
    assert cli.main(["rerender", str(first), f"--output={second}", "--num-looks=2"]) == 0
    assert LeRobotSource(second).cameras == ("front", "front_look2")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text('{"command": "pretrain"}')
    assert cli.main(["pretrain", f"{tmp_path}/run", "--output=other"]) == 2
    assert "is a run to go on with, so --output has no place" in capsys.readouterr().err


def test_looks_depend_on_the_seed_and_may_change_within_an_episode(play: Path, tmp_path: Path) -> None:
    def backgrounds(name: str, camera: str, **settings: Any) -> np.ndarray:
        run(RerenderConfig(dataset=play, output=tmp_path / name, **settings))
        source = LeRobotSource(tmp_path / name)
        return source.frames(0, range(20), camera)[:, :, 0, 0].astype(int)

    first, again = backgrounds("a", "front"), backgrounds("b", "front")
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - backgrounds("c", "front", seed=1)).max() > 4
    changing = backgrounds("d", "front_look2", look_every=10)
    first_part, second_part = changing[2:10].mean(axis=0), changing[12:].mean(axis=0)
    assert np.abs(changing[2:10] - first_part).max() <= 6, "but for the codec"
    assert np.abs(second_part - first_part).max() > 8


def test_a_run_that_was_stopped_goes_on(play: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = RerenderConfig(dataset=play, output=tmp_path / "again")
    append = EpisodeWriter.append_rows

    def stopped(self: EpisodeWriter, **kwargs: Any) -> int:
        if self.num_episodes == 2:
            raise KeyboardInterrupt
        return append(self, **kwargs)

    monkeypatch.setattr(EpisodeWriter, "append_rows", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    monkeypatch.undo()
    result = run(config)
    whole = run(replace(config, output=tmp_path / "whole"))
    assert result["num_episodes"] == 4
    assert result["views_drawn"] < whole["views_drawn"]
    first, second = (LeRobotSource(tmp_path / name) for name in ("again", "whole"))
    for camera in first.cameras:
        np.testing.assert_allclose(
            first.frames(3, [4], camera).astype(int), second.frames(3, [4], camera), atol=8, err_msg=camera
        )
    assert first.episode_metadata(3) == second.episode_metadata(3)


def test_held_out_episodes_and_domains_are_refused(play: Path, tmp_path: Path) -> None:
    heldout = record(tmp_path / "heldout", domain="heldout", num_episodes=1)
    with pytest.raises(DataError, match="recorded in the domain 'heldout'") as error:
        run(RerenderConfig(dataset=heldout, output=tmp_path / "again"))
    assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match="domain is 'heldout', which is only measured in"):
        run(RerenderConfig(dataset=play, output=tmp_path / "again", domain="heldout"))
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"image_size": 33}, "image_size is 33; H.264 stores even sizes only"),
        ({"cameras": ("front", "front")}, "cameras names one twice: front, front"),
        ({"domain": "nomnal"}, "unknown domain 'nomnal'"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(play: Path, tmp_path: Path, settings: dict, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as error:
        run(RerenderConfig(dataset=play, output=tmp_path / "again", **settings))
    assert "\n" not in str(error.value)


def test_output_must_be_another_place_and_hold_the_same_episodes(play: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the data set itself; choose another --output"):
        run(RerenderConfig(dataset=play, output=play / "again"))
    assert not (play / "again").exists()
    other = record(tmp_path / "other", num_episodes=2)
    with pytest.raises(DataError, match=r"holds other episodes than .*play now"):
        run(RerenderConfig(dataset=play, output=other))


@pytest.fixture
def training(play: Path, tmp_path: Path) -> PretrainConfig:
    return PretrainConfig(
        output=tmp_path / "run",
        sources=(SourceConfig(path=play, rerender=True),),
        objectives=(ObjectiveConfig(name="paired_looks", params={"num_instants": 3}),),
        encoder=EncoderConfig(feature_dim=16, params={"widths": (8, 16), "strides": (4, 2)}),
        image_size=(32, 32),
        batch_size=4,
        num_steps=6,
        log_every=1,
        checkpoint_every=1,
        cache_dir=tmp_path / "cache",
        device="cpu",
    )


def train(config: PretrainConfig) -> dict[str, Any]:
    with open_run(config.output, command="pretrain", config=config) as opened:
        return opened.finish(pretrain(config, run=opened))


def test_pretraining_on_fresh_looks_goes_on_bit_for_bit_after_a_stop(
    training: PretrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = train(training)
    assert 0 <= result["data_wait_fraction"] <= 1
    assert not (tmp_path / "cache").exists(), "nothing is decoded"
    stopped = replace(training, output=tmp_path / "stopped")
    original = loop.save_checkpoint

    def save_then_stop(*arguments: Any, step: int, **keywords: Any) -> Any:
        path = original(*arguments, step=step, **keywords)
        if step == 3:
            raise KeyboardInterrupt
        return path

    monkeypatch.setattr(loop, "save_checkpoint", save_then_stop)
    with pytest.raises(KeyboardInterrupt):
        train(stopped)
    monkeypatch.undo()
    train(stopped)
    first, second = (load_encoder(c.output / "encoder").state_dict() for c in (training, stopped))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_more_than_two_looks_may_be_drawn(training: PretrainConfig, play: Path) -> None:
    source = SourceConfig(path=play, rerender=True, num_looks=3, views=("front_look3", "front"))
    train(replace(training, sources=(source,), num_steps=1))


def test_looks_of_a_held_out_domain_are_not_trained_on(training: PretrainConfig, play: Path) -> None:
    source = SourceConfig(path=play, rerender=True, look_domain="heldout")
    with pytest.raises(ConfigError, match="domain is 'heldout', which is only measured in"):
        train(replace(training, sources=(source,)))


@pytest.mark.parametrize("renderer", ["gl", "tiny"])
def test_a_real_env_draws_its_episodes_again(tmp_path: Path, renderer: str) -> None:
    if renderer == "gl":
        pytest.importorskip("moderngl")
    spec = EnvSpec(env_id=PUSH, domain="nominal", image_size=32, options={"max_episode_steps": 3})
    with EpisodeWriter(tmp_path / "play", fps_hz=20) as writer:
        for episode in rollout(spec, Scripted(kind="play"), num_episodes=1, seed=0):
            writer.append(episode)
    config = RerenderConfig(
        dataset=tmp_path / "play",
        output=tmp_path / "again",
        domain="shifted",
        cameras=("front", "wrist"),
        image_size=48,
        renderer=renderer,
    )
    result = run(config)
    assert result["cameras"] == ["front", "front_look2", "wrist", "wrist_look2"]
    source = LeRobotSource(tmp_path / "again")
    assert source.frame_size("wrist") == (48, 48)
    told = source.episode_metadata(0)
    assert told["domain"] == "shifted"
    assert told["renderer"] == renderer
    assert told["variations"]["light.diffuse"] >= 0.8, "the look that was drawn, not the recorded one"
    assert "robot.motor_gain" in told["variations"], "the physics stays that of the recording"
    assert source.frames(0, [0], "front").std() > 5
