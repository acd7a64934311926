"""What features, proprio and state are standardized with, from a few episodes of play."""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from robossl.policies.augment import feature_statistics
from robossl.policies.behaviour_cloning import statistics
from robossl.policies.history import History
from robossl.policies.network import PolicyNetwork
from robossl.policies.views import views_of
from robossl.rollout import batch_of_one

NUM_EPISODES, NUM_STEPS = 20, 30
"""Many goals and looks, and few steps of each."""
SEED = 900_000
"""Of the first episode: far from those of evaluation and of what is collected."""
MIN_SHARE = 0.01
"""Least deviation that is divided by, as a share of the largest of proprio or state: metres stand beside rad/s."""


Instant = tuple[Mapping[str, Any], np.ndarray, bool]
"""Observation, environment state, and whether it is the first of its episode."""


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
    instants: list[Instant] = []
    for episode in range(NUM_EPISODES):
        first = SEED + 1000 * seed + episode
        observation, info = env.reset(seed=first)
        play = simulator.expert(kind="play", seed=first)
        for step in range(NUM_STEPS):
            observation, _, terminated, truncated, info = env.step(play.act(observation))
            instants.append((observation, info["environment_state"], step == 0))
            if terminated or truncated:
                break
    if network.spec.proprio_dim:
        network.set_statistics("proprio", *_statistics([seen["agent_pos"] for seen, _, _ in instants]))
    if network.spec.state_dim:
        network.set_statistics("state", *_statistics([state for _, state, _ in instants]))
    if network.encoder is not None:
        _measure_features(network, instants)
    return len(instants)


def _measure_features(network: PolicyNetwork, instants: Sequence[Instant]) -> None:
    """Set mean and deviation of the features, and the components of those of the pictures that are seen at once."""
    times = network.spec.num_observation_steps
    history, joined = History(times), []
    for seen, _, is_first in instants:
        if is_first:
            history.reset()
        encoded = network.encoder(torch.from_numpy(views_of(batch_of_one(seen), network.cameras)[0]))  # [V,D]
        joined.append(history.add(encoded[None].numpy()).ravel())
    features = torch.from_numpy(np.stack(joined))  # [n,X]
    latest = features.unflatten(1, (times, -1))[:, -1]
    mean, std = (values.repeat(times) for values in feature_statistics(latest))
    network.set_statistics("feature", mean, std)
    if network.spec.num_components:
        network.get_buffer("components").copy_(_whitening((features - mean) / std, network.spec.num_components))


def _whitening(values: Float[Tensor, "n X"], num_components: int) -> Float[Tensor, "X k"]:
    """Return the directions in which the values vary most, scaled so that they vary by 1 in each of them."""
    _, variances, directions = torch.linalg.svd(values, full_matrices=False)
    return directions[:num_components].T * (len(values) ** 0.5 / variances[:num_components].clamp_min(1e-6))


def _statistics(rows: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    values = np.stack(rows)
    return statistics(values, floor=max(1e-6, MIN_SHARE * float(values.std(axis=0).max())))
