"""How often a learner of Stable-Baselines3 succeeds when it does what it thinks best."""

from typing import Any

import gymnasium as gym


def greedy_success(learner: Any, env: gym.Env, *, num_episodes: int, first_seed: int) -> float:
    """Return the fraction of episodes that the deterministic policy solves, one for each seed from the first on."""
    solved = 0
    for seed in range(first_seed, first_seed + num_episodes):
        observation, info = env.reset(seed=seed)
        done = False
        while not done:
            action, _ = learner.predict(observation, deterministic=True)
            observation, _, terminated, truncated, info = env.step(action)
            done = terminated or truncated
        solved += bool(info["is_success"])
    return solved / num_episodes
