"""Rollouts: the same episodes whoever makes them, and one clear line when one fails."""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import point_env  # noqa: F401  registers the env
import pytest

from robossl.errors import ConfigError, RobosslError
from robossl.rollout import EnvSpec, SecondLook, Workers, rollout
from robossl.types import Episode, Policy

SPEC = EnvSpec(env_id="point_env:test/Point-v0", domain="randomized", image_size=16)


@dataclass(frozen=True)
class NoisyExpert:
    def __call__(self, env: gym.Env, seed: int) -> Policy:
        return env.unwrapped.expert(noise=0.3, seed=seed)


def _same(first: Episode, second: Episode) -> bool:
    arrays = ("proprio", "environment_state", "visual_state", "actions", "rewards", "goal")
    return (
        first.seed == second.seed
        and all(np.array_equal(getattr(first, name), getattr(second, name)) for name in arrays)
        and all(np.array_equal(first.pixels[name], second.pixels[name]) for name in first.pixels)
    )


def test_an_episode_depends_on_its_seed_alone() -> None:
    three = list(rollout(SPEC, NoisyExpert(), num_episodes=3, seed=10))
    alone = list(rollout(SPEC, NoisyExpert(), num_episodes=1, seed=12))
    assert [episode.seed for episode in three] == [10, 11, 12]
    assert _same(three[2], alone[0])


def test_rows_are_one_more_than_actions() -> None:
    episode = next(rollout(SPEC, NoisyExpert(), num_episodes=1, seed=0))
    assert len(episode) == len(episode.actions) == len(episode.rewards)
    for rows in (episode.pixels["front"], episode.proprio, episode.environment_state, episode.visual_state):
        assert len(rows) == len(episode) + 1
    assert episode.success
    assert episode.terminated
    assert episode.actions.dtype == np.float32


def test_workers_give_the_episodes_of_one_process_in_order_and_name_the_seed_that_failed() -> None:
    here = list(rollout(SPEC, NoisyExpert(), num_episodes=5, seed=3))
    with Workers(2) as workers:
        there = list(rollout(SPEC, NoisyExpert(), num_episodes=5, seed=3, workers=workers))
        assert all(_same(first, second) for first, second in zip(here, there, strict=True))
        failing = EnvSpec(env_id=SPEC.env_id, options={"fail_at_seed": 4})
        with pytest.raises(RobosslError, match=r"seed 4 failed: RuntimeError: the simulator fell over"):
            list(rollout(failing, NoisyExpert(), num_episodes=3, seed=3, workers=workers))
        # the workers go on after an error
        assert len(list(rollout(SPEC, NoisyExpert(), num_episodes=2, seed=0, workers=workers))) == 2


def test_the_second_look_shows_the_same_instants_in_other_colours() -> None:
    plain = next(rollout(SPEC, NoisyExpert(), num_episodes=1, seed=1))
    episode = next(rollout(SPEC, NoisyExpert(), num_episodes=1, seed=1, second_look=SecondLook()))
    first, second = episode.pixels["front"], episode.pixels["front_look2"]
    assert np.array_equal(first, plain.pixels["front"])
    assert first.shape == second.shape
    goal = (first == (40, 220, 40)).all(-1)
    assert np.array_equal(goal, (second == (40, 220, 40)).all(-1))
    assert not np.array_equal(first[0, 0, 0], second[0, 0, 0])
    assert len(np.unique(second[:, 0, 0], axis=0)) == 1


def test_look_every_draws_a_new_look_after_that_many_frames() -> None:
    episode = next(rollout(SPEC, NoisyExpert(), num_episodes=1, seed=1, second_look=SecondLook(every=3)))
    background = episode.pixels["front_look2"][:, 0, 0]
    assert np.array_equal(background[0], background[2])
    assert not np.array_equal(background[2], background[3])


def test_unknown_ids_domains_and_counts_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="can't make env 'test/Nowhere-v0'"):
        EnvSpec(env_id="point_env:test/Nowhere-v0".removeprefix("point_env:")).make()
    with pytest.raises(ConfigError, match="unknown domain 'mars'; allowed: nominal"):
        EnvSpec(env_id=SPEC.env_id, domain="mars").make()
    with pytest.raises(ConfigError, match="look_every is 0"):
        SecondLook(every=0)
    with pytest.raises(ConfigError, match="num_workers is -1"):
        Workers(-1)
