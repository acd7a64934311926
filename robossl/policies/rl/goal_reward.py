"""A reward that needs no simulator truth: how far from a picture of the goal a step ends, in feature space."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from jaxtyping import Float

from robossl.encoders import Encoder
from robossl.policies.demonstrations import GOAL_VIEW
from robossl.policies.views import views_of
from robossl.rollout import batch_of_one


class GoalDistanceReward(gym.Wrapper):
    """Each step costs the distance to the goal's features, as a part of the farthest start so far.

    The distance is that of VIP (Ma et al. 2022, arXiv 2210.00030), with any encoder. VIP pays for how much a step
    shortens it; over an episode that ends at the goal this sums to the same whatever the way, and whoever is paid for
    exploring as well (soft actor-critic) would rather not end it. A cost makes the end a gain, as the env's own reward
    does.

    Args:
        env: nested, with the picture of the goal in its observations.
        encoder: frozen.
        camera: that is compared with the picture of the goal.
    """

    def __init__(self, env: gym.Env, encoder: Encoder, camera: str) -> None:
        super().__init__(env)
        self._encoder, self._camera = encoder, camera
        self._farthest = 1e-6

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._farthest = max(self._farthest, self._distance(observation))
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by a step; the reward of the env is left out."""
        observation, _, terminated, truncated, info = self.env.step(action)
        return observation, -self._distance(observation) / self._farthest, terminated, truncated, info

    @torch.inference_mode()
    def _distance(self, observation: Mapping[str, Any]) -> float:
        views = views_of(batch_of_one(observation), (self._camera, GOAL_VIEW))
        features: Float[torch.Tensor, "2 D"] = self._encoder(torch.from_numpy(np.ascontiguousarray(views[0])))
        return float((features[0] - features[1]).norm())
