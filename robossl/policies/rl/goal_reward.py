"""A reward that needs no simulator truth: how far from a picture of the goal a step ends, in feature space."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from robossl.policies.demonstrations import GOAL_VIEW
from robossl.policies.network import PolicyNetwork
from robossl.policies.views import views_of
from robossl.rollout import batch_of_one


class GoalDistanceReward(gym.Wrapper):
    """Each step costs the distance to the goal's features, as a part of how far apart any two pictures are.

    The distance is that of VIP (Ma et al. 2022, arXiv 2210.00030), with any encoder. VIP pays for how much a step
    shortens it; over an episode that ends at the goal this sums to the same whatever the way, and whoever is paid for
    exploring as well (soft actor-critic) would rather not end it. A cost makes the end a gain, as the env's own reward
    does.

    Args:
        env: nested, with the picture of the goal in its observations.
        network: its first camera is compared with the picture of the goal, by its encoder; its statistics of features
            give the unit.
    """

    def __init__(self, env: gym.Env, network: PolicyNetwork) -> None:
        super().__init__(env)
        self._network = network

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by a step; the reward of the env is left out."""
        observation, _, terminated, truncated, info = self.env.step(action)
        return observation, -self._distance(observation), terminated, truncated, info

    @torch.inference_mode()
    def _distance(self, observation: Mapping[str, Any]) -> float:
        views = views_of(batch_of_one(observation), (self._network.cameras[0], GOAL_VIEW))
        here, goal = self._network.features(torch.from_numpy(np.ascontiguousarray(views))).unflatten(1, (2, -1))[0]
        std = self._network.get_buffer("feature_std")[: len(here)]
        return float((here - goal).norm() / (2**0.5 * std.norm()))  # two independent draws: twice the variance
