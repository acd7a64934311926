"""`gym.make_vec`: the same episodes in one process and in several."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs import ENV_IDS

NUM_ENVS = 2
SPAWNED = {"context": "spawn"}  # OpenGL does not survive a fork, and earlier tests have drawn in this process


def run(env_id: str, mode: str, **options: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pictures, proprio and rewards of a few steps of `NUM_ENVS` envs, reset with seeds 7 and 8."""
    settings = {"vector_kwargs": SPAWNED} if mode == "async" else {}
    name = f"robossl_envs:{env_id}"
    envs = gym.make_vec(name, num_envs=NUM_ENVS, vectorization_mode=mode, image_size=32, **settings, **options)
    observation, info = envs.reset(seed=7)
    assert info["environment_state"].shape[0] == info["visual_state"].shape[0] == NUM_ENVS
    pixels, proprio, rewards = [observation["pixels"]["front"].copy()], [observation["agent_pos"].copy()], []
    for step in range(4):
        actions = np.full(envs.action_space.shape, 0.5 - 0.2 * step, dtype=np.float32)
        observation, reward, _, _, _ = envs.step(actions)
        pixels.append(observation["pixels"]["front"].copy())
        proprio.append(observation["agent_pos"].copy())
        rewards.append(reward)
    envs.close()
    return np.array(pixels), np.array(proprio), np.array(rewards)


@pytest.mark.parametrize("renderer", ["auto", "gl"])
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_worker_processes_give_the_episodes_of_one_process(env_id: str, renderer: str) -> None:
    if renderer == "gl":
        pytest.importorskip("moderngl")
    one, several = (run(env_id, mode, domain="randomized", renderer=renderer) for mode in ("sync", "async"))
    for first, second in zip(one, several, strict=True):
        np.testing.assert_array_equal(first, second)
    assert (one[0][:, 0] != one[0][:, 1]).any(), "each env has a seed of its own"


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_an_env_among_many_is_the_env_alone(env_id: str) -> None:
    pixels, proprio, _ = run(env_id, "sync", domain="randomized")
    env: gym.Env = gym.make(f"robossl_envs:{env_id}", domain="randomized", image_size=32)
    observation, _ = env.reset(seed=8)
    np.testing.assert_array_equal(observation["pixels"]["front"], pixels[0, 1])
    np.testing.assert_array_equal(observation["agent_pos"], proprio[0, 1])
    env.close()
