"""Play: task-free data."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State

PLAY_STEP_M = 0.02
"""Longest step of play, which is to push things about and not off the table."""


class Play:
    """Wander for task-free data: go to drawn points, often near what lies on the table."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._steps_left = 0
        self._target_m = np.zeros(3)
        self._grip = 1.0

    def __call__(self, state: State) -> Float[np.ndarray, " A"]:
        """Return the step to the present target; a new target is drawn when it is reached or after 15 steps."""
        gap_m = self._target_m - state["end_effector"]
        if self._steps_left == 0 or np.linalg.norm(gap_m) < 0.03:
            self._target_m = self._draw_target(state)
            self._steps_left = 15
            if "gripper" in state:
                self._grip = float(self._generator.choice((-1.0, 1.0)))
            gap_m = self._target_m - state["end_effector"]
        self._steps_left -= 1
        step_m = gap_m * min(1.0, PLAY_STEP_M / float(np.linalg.norm(gap_m) + 1e-6))
        return np.array([*step_m, self._grip]) if "gripper" in state else step_m

    def _draw_target(self, state: State) -> Float[np.ndarray, "3"]:
        target_m = self._generator.uniform((0.3, -0.25, 0.02), (0.65, 0.25, 0.3))
        if self._generator.random() < 0.6:  # else most frames would show the gripper away from everything
            near = [value for name, value in state.items() if name != "end_effector" and len(value) == 3]
            around_m = near[self._generator.integers(len(near))]
            target_m = around_m + self._generator.normal(scale=(0.05, 0.05, 0.03))
        return target_m
