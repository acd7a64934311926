"""What every id keeps to, whatever is done to it. Slow: all ids; the quick versions take a few of each kind."""

import hashlib
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from robossl_envs import CONTROL_IDS, ENV_IDS
from robossl_envs.errors import EnvError

FEW = ("robossl/PandaStack-v0", "robossl/XArmSlide-v0", "robossl/RoomNavigation-v0")
FORMATS = ("nested", "flat", "state", "goal")
ALL = [pytest.param(env_id, marks=() if env_id in FEW else pytest.mark.slow) for env_id in (*ENV_IDS, *CONTROL_IDS)]
NUM_RANDOM = 1000


def make(env_id: str, **keywords):
    return gym.make(f"robossl_envs:{env_id}", **{"image_size": 32, **keywords}).unwrapped


def formats(env_id: str) -> tuple[str, ...]:
    return FORMATS[:3] if "CartPole" in env_id else FORMATS


@pytest.mark.parametrize("env_id", ALL)
def test_gymnasium_finds_nothing_wrong_in_any_format_and_an_env_closes_twice(env_id: str) -> None:
    for obs_format in formats(env_id):
        env = make(env_id, obs_format=obs_format)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the checker warns of unbounded boxes
            check_env(env, skip_render_check=True)
        env.close()
        env.close()


@pytest.mark.parametrize("env_id", ALL)
def test_stable_baselines_finds_nothing_wrong_in_any_format_that_it_takes(env_id: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", exc_type=ImportError)
    for obs_format in formats(env_id)[1:]:  # it takes no nested dicts
        env = make(env_id, obs_format=obs_format, image_size=64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above
            checker.check_env(env)
        env.close()


@pytest.mark.parametrize(
    "env_id", [pytest.param(env_id, marks=pytest.mark.slow) for env_id in (*ENV_IDS, *CONTROL_IDS)]
)
def test_a_thousand_random_actions_leave_only_finite_numbers(env_id: str) -> None:
    for domain in ("randomized",) if env_id in CONTROL_IDS else ("randomized", "heldout_hard"):
        env = make(env_id, obs_format="state", domain=domain)
        generator = np.random.default_rng(0)
        env.reset(seed=0)
        for _ in range(NUM_RANDOM):
            action = generator.uniform(-1.5, 1.5, env.action_space.shape)  # outside of the box it is clipped
            observation, reward, terminated, truncated, info = env.step(action)
            assert np.isfinite(observation).all()
            assert np.isfinite(reward)
            assert np.isfinite(info["visual_state"]).all()
            if terminated or truncated:
                env.reset()
        env.close()


@pytest.mark.parametrize("env_id", ALL)
def test_what_is_not_allowed_is_refused_in_words(env_id: str) -> None:
    for keywords, text in (
        ({"image_size": 10000}, "image_size is 1 to 2048 px a side, not 10000"),
        ({"cameras": ("fronk",)}, "unknown camera 'fronk'.*did you mean 'front'"),
        ({"domain": "randomised"}, "unknown domain 'randomised'.*did you mean 'randomized'"),
    ):
        with pytest.raises(EnvError, match=text):
            make(env_id, **keywords)
    env = make(env_id, obs_format="state")
    with pytest.raises(EnvError, match="reset"):
        env.step(np.zeros(env.action_space.shape))
    env.reset(seed=0)
    for bad in (np.nan, np.inf):
        with pytest.raises(EnvError, match="finite numbers"):
            env.step(np.full(env.action_space.shape, bad))
    env.close()


FRESH = "import test_contract; print(test_contract.digest({ids!r}))"


def digest(env_ids: tuple[str, ...]) -> str:
    """Return a hash of the pictures and states of a short episode of each id."""
    seen = hashlib.sha256()
    for env_id in env_ids:
        env = make(env_id, domain="randomized")
        generator = np.random.default_rng(0)
        observation, info = env.reset(seed=5)
        for _ in range(4):
            seen.update(observation["pixels"]["front"].tobytes() + info["visual_state"].tobytes())
            observation, _, _, _, info = env.step(generator.uniform(-1, 1, env.action_space.shape))
        env.close()
    return seen.hexdigest()


@pytest.mark.parametrize("env_ids", [FEW, pytest.param((*ENV_IDS, *CONTROL_IDS), marks=pytest.mark.slow)])
def test_a_fresh_process_sees_the_same(env_ids: tuple[str, ...]) -> None:
    fresh = subprocess.run(
        [sys.executable, "-c", FRESH.format(ids=env_ids)],
        capture_output=True, text=True, check=True, cwd=__file__.rsplit("/", 1)[0],
    )  # fmt: skip
    assert fresh.stdout.split()[-1] == digest(env_ids)


@pytest.mark.parametrize("env_id", FEW)
def test_an_env_says_what_its_actions_mean_and_what_can_be_varied(env_id: str) -> None:
    env = make(env_id)
    assert len(env.action_scale) == env.action_space.shape[0]
    assert all(scale > 0 for scale in env.action_scale.values())
    env.reset(seed=0)
    assert env.episode_record()["action_scale"] == env.action_scale
    is_arm = env_id not in CONTROL_IDS
    assert ("heldout" in env.domains) == ("mujoco" in env.engines) == ("mass" in env.axis_names) == is_arm
    env.close()
