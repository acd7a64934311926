"""What features, proprio and state are standardized with, from a few episodes of play."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from robossl.policies.augment import feature_statistics
from robossl.policies.behaviour_cloning import statistics
from robossl.policies.network import PolicyNetwork
from robossl.policies.views import views_of
from robossl.rollout import batch_of_one

NUM_EPISODES, NUM_STEPS = 20, 30
"""Many goals and looks, and few steps of each."""
SEED = 900_000
"""Of the first episode: far from those of evaluation and of what is collected."""
MIN_SHARE = 0.01
"""Least deviation that is divided by, as a share of the largest of proprio or state: metres stand beside rad/s."""


@torch.inference_mode()
def measure(env: gym.Env, network: PolicyNetwork, *, seed: int) -> int:
    """Set the network's statistics of proprio, state and features, and return the env steps that this took.

    An encoder that is trained starts with standardized features too: those of fresh weights hardly differ.

    Args:
        env: nested.
        network: sees it.
        seed: of episodes and play.
    """
    simulator: Any = env.unwrapped
    simulator.pictures_later = not network.cameras
    instants = []
    for episode in range(NUM_EPISODES):
        first = SEED + 1000 * seed + episode
        observation, info = env.reset(seed=first)
        play = simulator.expert(kind="play", seed=first)
        for _ in range(NUM_STEPS):
            observation, _, terminated, truncated, info = env.step(play.act(observation))
            instants.append((observation, info["environment_state"]))
            if terminated or truncated:
                break
    if network.spec.proprio_dim:
        network.set_statistics("proprio", *_statistics([seen["agent_pos"] for seen, _ in instants]))
    if network.spec.state_dim:
        network.set_statistics("state", *_statistics([state for _, state in instants]))
    if network.encoder is not None:
        encoded = [network.encoder(torch.from_numpy(_views(seen, network))).flatten() for seen, _ in instants]
        mean, std = feature_statistics(torch.stack(encoded))
        times = network.spec.num_observation_steps
        network.set_statistics("feature", mean.repeat(times), std.repeat(times))
    return len(instants)


def _statistics(rows: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    values = np.stack(rows)
    return statistics(values, floor=max(1e-6, MIN_SHARE * float(values.std(axis=0).max())))


def _views(observation: dict[str, Any], network: PolicyNetwork) -> np.ndarray:
    return views_of(batch_of_one(observation), network.cameras)[0]
