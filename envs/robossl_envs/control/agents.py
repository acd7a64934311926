"""A task's controller, or play, as a policy."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

Controller = Callable[[], Float[np.ndarray, " A"]]
"""Reads the env's truth and returns the wanted action."""
PLAY_MEMORY = 0.93
"""Part of play's action that a step keeps: at 20 Hz its pushes last about a second."""


class Play:
    """Explore for task-free data: actions wander to and fro slowly enough to lead somewhere.

    A squashed Ornstein-Uhlenbeck process (Lillicrap et al. 2015, DDPG, arXiv 1509.02971, use one as noise).
    """

    def __init__(self, action_size: int, generator: np.random.Generator) -> None:
        self._generator = generator
        self._wish = generator.normal(size=action_size)

    def __call__(self) -> Float[np.ndarray, " A"]:
        """Return the next action."""
        fresh = self._generator.normal(size=self._wish.shape)
        self._wish = PLAY_MEMORY * self._wish + np.sqrt(1 - PLAY_MEMORY**2) * fresh
        return np.tanh(1.5 * self._wish)


class ScriptedPolicy:
    """Batch of one, actions in [-1, 1].

    With noise every action is disturbed while the controller keeps correcting, so that demonstrations show how to come
    back (Laskey et al. 2017, DART, arXiv 1703.09327; here with fixed Gaussian noise in units of the largest action).
    """

    def __init__(self, controller: Controller, *, noise: float, generator: np.random.Generator) -> None:
        self._controller = controller
        self._noise = noise
        self._generator = generator

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Do nothing: the controllers hold no memory of the episode."""

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, " A"]:
        """Return the action for the env's present state; the observation is not looked at."""
        action = np.clip(self._controller(), -1.0, 1.0)
        action = action + self._noise * self._generator.normal(size=len(action))
        return np.clip(action, -1.0, 1.0).astype(np.float32)
