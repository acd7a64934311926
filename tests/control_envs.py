"""The control envs, for tests."""

import gymnasium as gym

DOMAINS = ("nominal", "randomized", "shifted")


def make(env_id: str, **keywords):
    return gym.make(f"robossl_envs:{env_id}", **keywords).unwrapped
