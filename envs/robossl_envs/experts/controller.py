"""What an expert is, and how it becomes a policy."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

State = Mapping[str, Float[np.ndarray, " K"]]
"""The environment state by name: positions [m] such as `end_effector`, `object`, `goal`, and single numbers."""
Controller = Callable[[State], Float[np.ndarray, " A"]]
"""Truth to the wanted step of the end effector [m], and the wanted place of the gripper [-1, 1] where it is used."""


class ScriptedPolicy:
    """A controller as a policy: batch of one, actions in [-1, 1].

    With noise every step is disturbed while the controller keeps correcting, so that demonstrations show how to come
    back (Laskey et al. 2017, DART, arXiv 1703.09327; here with fixed Gaussian noise in units of the largest step).
    """

    def __init__(
        self,
        controller: Controller,
        *,
        read_state: Callable[[], State],
        read_unfinished: Callable[[], Float[np.ndarray, " A"] | float],
        max_step_m: float,
        noise: float,
        generator: np.random.Generator,
    ) -> None:
        self._controller = controller
        self._read_state = read_state
        self._read_unfinished = read_unfinished
        self._max_step_m = max_step_m
        self._noise = noise
        self._generator = generator

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Do nothing: the controllers hold no memory of the episode."""

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, " A"]:
        """Return the action for the env's present state; the observation is not looked at."""
        wanted = self._controller(self._read_state())
        step = wanted[:3] / self._max_step_m
        step = (
            step - np.broadcast_to(self._read_unfinished(), wanted.shape)[:3]
        )  # else a delayed step would be taken twice
        step = step / max(1.0, float(np.abs(step).max()))  # keeps the direction
        step = step + self._noise * self._generator.normal(size=3)  # the gripper is not disturbed: it would drop things
        return np.clip(np.concatenate([step, wanted[3:]]), -1.0, 1.0).astype(np.float32)
