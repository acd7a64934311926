"""Scripted experts: they read the simulator's truth through the env and steer the gripper.

They hold no memory: the action is a function of the state, so that a cloned policy can know it too.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

State = Mapping[str, Float[np.ndarray, "3"]]
"""Positions [m] by name: `end_effector`, `goal`, and `object` where there is one."""
Controller = Callable[[State], Float[np.ndarray, "3"]]
"""Truth to the wanted step of the end effector [m]."""

TRAVEL_HEIGHT_M = 0.13
"""Height at which the gripper passes over a cube."""
PUSH_HEIGHT_M = 0.03
PLAY_STEP_M = 0.02
"""Longest step of play, which is to push things about and not off the table."""
PUSH_STEP_M = 0.009
"""Step while pushing: a faster gripper would knock the cube away."""
CLEAR_M = 0.085
"""Distance behind the cube from which the gripper can go anywhere behind it without touching it."""
STANDOFF_M = 0.095
"""Distance from the cube's centre at which the gripper comes down behind it."""


def reach(state: State) -> Float[np.ndarray, "3"]:
    """Go straight to a point just above the table at the ball."""
    target_m = state["goal"] + np.array([0.0, 0.0, 0.01])
    return target_m - state["end_effector"]


def push(state: State) -> Float[np.ndarray, "3"]:
    """Come down behind the cube, then push it along the line to the plate, steering against its drift."""
    gripper_m, cube_m, goal_m = state["end_effector"], state["object"], state["goal"]
    way_m = (goal_m - cube_m)[:2]
    direction = way_m / max(float(np.linalg.norm(way_m)), 1e-6)
    offset_m = (gripper_m - cube_m)[:2]
    along_m = float(offset_m @ direction)
    aside_m = offset_m - along_m * direction
    is_low, is_behind = gripper_m[2] < 0.06, along_m < -0.03 and np.linalg.norm(aside_m) < 0.03
    if is_low and is_behind:
        return _push_step(way_m, direction, aside_m, gripper_m)
    to_behind_m = cube_m[:2] - STANDOFF_M * direction - gripper_m[:2]
    if along_m < -CLEAR_M or np.linalg.norm(to_behind_m) < 0.015:  # nothing in between: straight there
        pace = min(1.0, 2 * PUSH_STEP_M / max(float(np.linalg.norm(to_behind_m)), 1e-6)) if is_low else 1.0
        return np.array([*pace * to_behind_m, PUSH_HEIGHT_M - gripper_m[2]])
    height_m = TRAVEL_HEIGHT_M - gripper_m[2]
    if gripper_m[2] < 0.08:  # rise before travelling, else the gripper drags the cube along
        return np.array([0.0, 0.0, height_m])
    return np.array([*to_behind_m, height_m])


def _push_step(
    way_m: Float[np.ndarray, "2"],
    direction: Float[np.ndarray, "2"],
    aside_m: Float[np.ndarray, "2"],
    gripper_m: Float[np.ndarray, "3"],
) -> Float[np.ndarray, "3"]:
    """Return a step along the way, slower near its end, back towards the line that leads to the plate."""
    left_m = float(np.linalg.norm(way_m))
    forward_m = min(PUSH_STEP_M, 0.3 * left_m) if left_m > 0.01 else 0.0
    off_line_m = float(np.linalg.norm(aside_m))
    forward_m *= max(0.0, 1.0 - off_line_m / 0.025)  # first back onto the line, since a push off centre turns the cube
    step_m = forward_m * direction - 0.6 * aside_m - min(off_line_m, 0.004) * direction
    return np.array([*step_m, PUSH_HEIGHT_M - gripper_m[2]])


class Play:
    """Wander for task-free data: go to drawn points, often near what lies on the table."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._steps_left = 0
        self._target_m = np.zeros(3)

    def __call__(self, state: State) -> Float[np.ndarray, "3"]:
        """Return the step to the present target; a new target is drawn when it is reached or after 15 steps."""
        gap_m = self._target_m - state["end_effector"]
        if self._steps_left == 0 or np.linalg.norm(gap_m) < 0.03:
            self._target_m = self._draw_target(state)
            self._steps_left = 15
            gap_m = self._target_m - state["end_effector"]
        self._steps_left -= 1
        return gap_m * min(1.0, PLAY_STEP_M / float(np.linalg.norm(gap_m) + 1e-6))

    def _draw_target(self, state: State) -> Float[np.ndarray, "3"]:
        target_m = self._generator.uniform((0.3, -0.25, 0.02), (0.65, 0.25, 0.3))
        if self._generator.random() < 0.6:  # else most frames would show the gripper away from everything
            near = [position for name, position in state.items() if name != "end_effector"]
            around_m = near[self._generator.integers(len(near))]
            target_m = around_m + self._generator.normal(scale=(0.05, 0.05, 0.03))
        return target_m


CONTROLLERS: dict[str, Controller] = {"reach": reach, "push": push}


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
        max_step_m: float,
        noise: float,
        generator: np.random.Generator,
    ) -> None:
        self._controller = controller
        self._read_state = read_state
        self._max_step_m = max_step_m
        self._noise = noise
        self._generator = generator

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Do nothing: the controllers hold no memory of the episode."""

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, "3"]:
        """Return the action for the env's present state; the observation is not looked at."""
        action = self._controller(self._read_state()) / self._max_step_m
        action = action / max(1.0, float(np.abs(action).max()))  # keeps the direction
        action = action + self._noise * self._generator.normal(size=3)
        return np.clip(action, -1.0, 1.0).astype(np.float32)
