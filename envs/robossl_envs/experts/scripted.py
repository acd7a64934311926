"""A script as a policy: what it wants at each step, disturbed on request."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32

ScriptKind = Literal["expert", "play"]


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
    `intended` is the last action before it was disturbed, which is what a learner should imitate.
    """

    def __init__(self, script: Script, *, noise: float, generator: np.random.Generator) -> None:
        self._script = script
        self._noise = noise
        self._generator = generator
        self.intended: Float32[np.ndarray, " A"] | None = None

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Do nothing: scripts hold no memory of the episode."""

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, " A"]:
        """Return the action for the env's present state; the observation is not looked at."""
        action = np.array(self._script.wish())
        self.intended = np.clip(action, -1.0, 1.0).astype(np.float32)
        count = self._script.num_disturbed
        action[:count] += self._noise * self._generator.normal(size=count)
        return np.clip(action, -1.0, 1.0).astype(np.float32)
