"""Play in a control task."""

import numpy as np
from jaxtyping import Float

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
