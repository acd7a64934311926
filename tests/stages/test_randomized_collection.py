"""Randomization from a YAML file to the disk, and from the disk back into an env."""

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from robossl.config.collect import CollectConfig
from robossl.config.env import randomization
from robossl.config.evaluate import EvaluateConfig
from robossl.config.load import load_config
from robossl.config.rerender import RerenderConfig
from robossl.data.lerobot.layout import ACTION, STATE, VISUAL_STATE
from robossl.data.sources import LeRobotSource
from robossl.errors import ConfigError
from robossl.policies.agents import policy_factory
from robossl.rollout import EnvSpec, rollout
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.evaluate import evaluate
from robossl.stages.rerender import rerender

YAML = """
env_id: robossl/PandaPush-v0
policy: play
num_episodes: 2
max_episode_steps: 12
image_size: 32
seed: 5
num_workers: 1
randomization: full
axes:
  camera_position: false
  mass: [2.0, 3.0]
"""


@pytest.fixture
def config(tmp_path: Path) -> CollectConfig:
    (tmp_path / "collect.yaml").write_text(YAML)
    return load_config(CollectConfig, tmp_path / "collect.yaml", [f"--output={tmp_path / 'data'}"])


def test_episodes_on_disk_replay_bit_equal_in_states_and_pictures(config: CollectConfig) -> None:
    run_stage("collect", collect, config)
    source = LeRobotSource(config.output)
    asked = randomization(config.randomization, config.axes)
    spec = EnvSpec(
        env_id=config.env_id, domain=config.domain, image_size=32, options={**asked, "max_episode_steps": 12}
    )
    recorded = list(rollout(spec, policy_factory("play"), num_episodes=2, seed=5))  # the pictures before the video
    env = gym.make(f"robossl_envs:{config.env_id}", domain="randomized", image_size=32, **asked).unwrapped
    for index, episode in enumerate(recorded):
        metadata, rows = source.episode_metadata(index), np.arange(int(source.lengths[index]))
        assert metadata["randomization"] == asked["randomization"]
        assert 0.4 <= metadata["variations"]["object.mass_kg"] <= 0.6
        assert {"image_noise", "lost_frames.steps", "action_delay"} <= metadata["variations"].keys()
        states, proprio, actions = (source.values(index, rows, key) for key in (VISUAL_STATE, STATE, ACTION))
        observation, info = env.reset(options={"record": metadata})
        for row in rows:
            np.testing.assert_array_equal(info["visual_state"], states[row])
            np.testing.assert_array_equal(observation["agent_pos"], proprio[row])
            np.testing.assert_array_equal(observation["pixels"]["front"], episode.pixels["front"][row])
            if row + 1 < len(rows):
                observation, _, _, _, info = env.step(actions[row])
    env.close()


def test_full_episodes_are_drawn_again_with_the_bodies_that_they_loaded(config: CollectConfig, tmp_path: Path) -> None:
    run_stage("collect", collect, config)
    again = RerenderConfig(
        dataset=config.output, output=tmp_path / "again", renderer="tiny", image_size=16, num_looks=1
    )
    assert run_stage("rerender", rerender, again)["num_episodes"] == 2
    other = replace(again, output=tmp_path / "other", domain="nominal")
    with pytest.raises(ConfigError, match=r"domain is 'nominal', but .* draw again in the same domain"):
        run_stage("rerender", rerender, other)


def test_what_is_not_allowed_is_refused_before_anything_runs(config: CollectConfig, tmp_path: Path) -> None:
    yaml = tmp_path / "collect.yaml"
    with pytest.raises(ConfigError, match="axes"):
        load_config(CollectConfig, _changed(yaml, "mass: [2.0, 3.0]", "mass: heavy"))
    wrong = load_config(CollectConfig, _changed(yaml, "mass: heavy", "mas: true"), [f"--output={tmp_path / 'other'}"])
    with pytest.raises(ConfigError, match=r"unknown axis of randomization 'mas'.*did you mean 'mass'"):
        run_stage("collect", collect, wrong)


def _changed(path: Path, old: str, new: str) -> Path:
    path.write_text(path.read_text().replace(old, new))
    return path


def test_an_evaluation_draws_a_preset_in_its_own_domain_and_leaves_frozen_ones(tmp_path: Path) -> None:
    config = EvaluateConfig(
        output=tmp_path,
        policy="random",
        env_id="robossl/PandaReach-v0",
        domains=("randomized", "nominal", "heldout"),
        num_episodes=1,
        num_workers=1,
        num_videos=0,
        image_size=16,
        randomization="full",
    )
    assert run_stage("evaluate", evaluate, config)["domains"].keys() == set(config.domains)
