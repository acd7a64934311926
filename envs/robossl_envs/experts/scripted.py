"""A script as a policy: what it wants at each step, disturbed on request."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32

ScriptKind = Literal["expert", "play"]
BURST_STEPS = (2, 8)
"""Shortest and longest burst."""


class Script(NamedTuple):
    """What a script does in an env."""

    wish: Callable[[], Float[np.ndarray, " A"]]
    """Reads the env's truth and returns the wanted action, in [-1, 1]."""
    num_disturbed: int
    """So many of its first numbers take noise."""


class ScriptedPolicy:
    """Batch of one, actions in [-1, 1].

    With noise every step is disturbed while the script keeps correcting, so that demonstrations show how to come
    back (Laskey et al. 2017, DART, arXiv 1703.09327; here with fixed Gaussian noise in units of the largest action).
    A burst goes further: one drawn action, of the gripper too, takes the script's place for 2 to 8 steps, so that the
    arm is far off its way and has let go of what it held. `burst_rate` is the chance of each step that one begins.
    `intended` is the last action before it was disturbed, which is what a learner should imitate.
    """

    def __init__(self, script: Script, *, noise: float, burst_rate: float, generator: np.random.Generator) -> None:
        self._script = script
        self._noise = noise
        self._burst_rate = burst_rate
        self._generator = generator
        self._burst: Float[np.ndarray, " A"] = np.zeros(0)
        self._burst_steps_left = 0
        self.intended: Float32[np.ndarray, " A"] | None = None

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """End a burst; scripts hold no memory of the episode."""
        self._burst_steps_left = 0

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, " A"]:
        """Return the action for the env's present state; the observation is not looked at."""
        action = np.array(self._script.wish())
        self.intended = np.clip(action, -1.0, 1.0).astype(np.float32)
        count = self._script.num_disturbed
        action[:count] += self._noise * self._generator.normal(size=count)
        if self._burst_rate > 0:
            action = self._after_bursts(action)
        return np.clip(action, -1.0, 1.0).astype(np.float32)

    def _after_bursts(self, action: Float[np.ndarray, " A"]) -> Float[np.ndarray, " A"]:
        """Return the action, or that of the burst which goes on or begins."""
        if self._burst_steps_left == 0 and self._generator.random() < self._burst_rate:
            shortest, longest = BURST_STEPS
            self._burst_steps_left = int(self._generator.integers(shortest, longest + 1))
            self._burst = self._generator.uniform(-1.0, 1.0, size=len(action))
        if self._burst_steps_left == 0:
            return action
        self._burst_steps_left -= 1
        return self._burst
