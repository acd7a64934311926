"""Nothing that is done to an env under `full` crashes it."""

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs import CONTROL_IDS, ENV_IDS
from robossl_envs.errors import EnvError

SOME = ("robossl/PandaStack-v0", "robossl/XArmDoorOpening-v0", "robossl/RoomNavigation-v0")


def shake(env_id: str, *, num_steps: int) -> None:
    """Act at random, far out of range and in vain, over many episodes."""
    env = gym.make(
        f"robossl_envs:{env_id}",
        domain="randomized",
        randomization="full",
        image_size=(16, 24),
        cameras=("front",),
        goal_image=True,
    ).unwrapped
    generator = np.random.default_rng(0)
    env.reset(seed=0)
    for step in range(num_steps):
        action = generator.normal(scale=(0.5, 1.0, 1e3)[step % 3], size=env.action_space.shape)
        observation, reward, terminated, truncated, info = env.step(action)
        assert np.isfinite(info["visual_state"]).all()
        assert np.isfinite(reward)
        assert observation["pixels"]["front"].shape == (16, 24, 3)
        if terminated or truncated or step % 50 == 49:
            for bad in (np.nan, np.inf):
                with pytest.raises(EnvError, match="finite numbers"):
                    env.step(np.full(env.action_space.shape, bad))
            env.reset()
    env.close()
    env.close()


@pytest.mark.parametrize("env_id", SOME)
def test_random_actions_never_crash(env_id: str) -> None:
    shake(env_id, num_steps=150)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("env_id", [*ENV_IDS, *CONTROL_IDS])
def test_a_thousand_random_actions_never_crash(env_id: str) -> None:
    shake(env_id, num_steps=1000)


def test_pictures_of_any_allowed_size_and_shape_go_through_the_sensor() -> None:
    for size in (1, 2, (1, 40), (40, 1), 600):
        env = gym.make("robossl_envs:robossl/PandaReach-v0", domain="randomized", randomization="full", image_size=size)
        observation, _ = env.reset(seed=1)
        observation, *_ = env.step(env.action_space.sample())
        height, width = (size, size) if isinstance(size, int) else size
        assert observation["pixels"]["front"].shape == (height, width, 3)
        env.close()
    with pytest.raises(EnvError, match="image_size is 1 to 2048 px a side, not 10000"):
        gym.make("robossl_envs:robossl/PandaReach-v0", domain="randomized", randomization="full", image_size=10000)


def test_steps_after_the_end_of_an_episode_go_on() -> None:
    env = gym.make("robossl_envs:robossl/PandaReach-v0", domain="randomized", randomization="full", image_size=16)
    env = env.unwrapped
    env.reset(seed=0)
    ends = [env.step(np.zeros(3))[3] for _ in range(55)]
    assert ends == [step >= 49 for step in range(55)]
    env.close()
