"""A reward that needs no simulator truth: how much nearer to a picture of the goal a step brings, in feature space."""

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

LEAST_SHARE = 0.2
"""Of the farthest start so far: a nearer one counts as this far, else a step there would earn many times the whole."""


class GoalDistanceReward(gym.Wrapper):
    """Pays for each step by which it shortens the distance to the goal's features, as a part of the distance at first.

    The reward of VIP (Ma et al. 2022, arXiv 2210.00030), with any encoder: an episode that ends at the goal earns 1 in
    all, one that ends where it began 0.

    Args:
        env: nested, with the picture of the goal in its observations.
        encoder: frozen.
        camera: that is compared with the picture of the goal.
    """

    def __init__(self, env: gym.Env, encoder: Encoder, camera: str) -> None:
        super().__init__(env)
        self._encoder, self._camera = encoder, camera
        self._first, self._last, self._seen = 1.0, 0.0, 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; its goal and its first distance are those of this one."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._last = self._distance(observation)
        self._seen = max(self._seen, self._last)
        self._first = max(self._last, LEAST_SHARE * self._seen, 1e-6)
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by a step; the reward of the env is left out."""
        observation, _, terminated, truncated, info = self.env.step(action)
        before, self._last = self._last, self._distance(observation)
        return observation, (before - self._last) / self._first, terminated, truncated, info

    @torch.inference_mode()
    def _distance(self, observation: Mapping[str, Any]) -> float:
        views = views_of(batch_of_one(observation), (self._camera, GOAL_VIEW))
        features: Float[torch.Tensor, "2 D"] = self._encoder(torch.from_numpy(np.ascontiguousarray(views[0])))
        return float((features[0] - features[1]).norm())
