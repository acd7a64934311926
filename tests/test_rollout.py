"""Rollouts: the same episodes whoever makes them, and one clear line when one fails."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, get_args

import gymnasium as gym
import numpy as np
import point_env  # noqa: F401  registers the env
import pytest

from robossl.errors import ConfigError, RobosslError
from robossl.rollout import EnvSpec, SecondLook, Workers, rollout, sharing
from robossl.rollout.calibration import LEAST_EPISODES
from robossl.rollout.sharing import share
from robossl.rollout.workers import Job, Way
from robossl.types import Episode, Policy

SPEC = EnvSpec(env_id="point_env:test/Point-v0", domain="randomized", image_size=16)


@dataclass(frozen=True)
class NoisyExpert:
    """Looks at no picture and says so; `NoisySeer` is the same one and does not say so."""

    sees_pixels: ClassVar[bool] = False

    def __call__(self, env: gym.Env, seed: int) -> Policy:
        return env.unwrapped.expert(noise=0.3, seed=seed)


@dataclass(frozen=True)
class NoisySeer(NoisyExpert):
    sees_pixels: ClassVar[bool] = True


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    with Workers(2) as workers:  # once for all tests: each process imports torch
        yield workers


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


@pytest.mark.parametrize("second_look", [None, SecondLook(every=4)])
@pytest.mark.parametrize("way", get_args(Way))
def test_whoever_draws_draws_the_same(way: Way, second_look: SecondLook | None, two: Workers) -> None:
    seen = list(rollout(SPEC, NoisySeer(), num_episodes=3, seed=5, second_look=second_look))
    two.fastest[Job(SPEC, NoisyExpert(), second_look, {}).kind] = way
    found = list(rollout(SPEC, NoisyExpert(), num_episodes=3, seed=5, second_look=second_look, workers=two))
    two.fastest.clear()
    assert [list(episode.pixels) for episode in found] == [list(episode.pixels) for episode in seen]
    assert all(_same(first, second) for first, second in zip(seen, found, strict=True))


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_long_rollout_tries_the_ways_of_drawing_and_says_what_it_found(
    num_workers: int, two: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="robossl.rollout")
    workers = two if num_workers == 2 else Workers(1)
    num_episodes = LEAST_EPISODES * num_workers
    seen = rollout(SPEC, NoisySeer(), num_episodes=num_episodes, seed=0)
    found = list(rollout(SPEC, NoisyExpert(), num_episodes=num_episodes, seed=0, workers=workers))
    again = list(rollout(SPEC, NoisyExpert(), num_episodes=num_episodes, seed=0, workers=workers))
    assert all(_same(*three[:2]) and _same(*three[1:]) for three in zip(seen, found, again, strict=True))
    assert len(caplog.messages) == 1, "the second rollout knows already"
    assert re.search(
        r"pictures are drawn by .* \(steps a second: each process its own at every step: \d+,", caplog.text
    )


def test_an_episode_that_nobody_takes_leaves_nothing_in_shared_memory() -> None:
    present = set(Path("/dev/shm").glob("psm_*"))
    with Workers(2) as workers:
        episodes = rollout(SPEC, NoisySeer(), num_episodes=9, seed=0, workers=workers)
        next(episodes)
        episodes.close()
    assert set(Path("/dev/shm").glob("psm_*")) <= present


def test_without_room_in_shared_memory_arrays_go_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.ones(4, np.uint8)}
    through = share(arrays)
    monkeypatch.setattr(sharing, "_has_room", lambda num_bytes: False)
    for shared in (through, share(arrays)):
        taken = shared.take()
        assert all(
            np.array_equal(taken[name], array) and taken[name].dtype == array.dtype for name, array in arrays.items()
        )
    assert through.name
    assert not share(arrays).name


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
