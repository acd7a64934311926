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

PUSH_HEIGHT_M = 0.03
PLAY_STEP_M = 0.02
"""Longest step of play, which is to push things about and not off the table."""
PUSH_STEP_M = 0.012
"""Longest step while pushing: a faster gripper would knock the puck away."""
CONTACT_M = 0.042
"""Distance in x from gripper to puck when the puck lies between the fingers."""


def reach(state: State) -> Float[np.ndarray, "3"]:
    """Go straight to a point just above the table at the ball."""
    target_m = state["goal"] + np.array([0.0, 0.0, 0.01])
    return target_m - state["end_effector"]


def push(state: State) -> Float[np.ndarray, "3"]:
    """Come behind the puck so that it lies between the fingers, then lead it to the plate.

    One phase fades into the next, without a threshold: an action that jumps with the state is hard to clone.
    """
    gripper_m, puck_m, goal_m = state["end_effector"], state["object"], state["goal"]
    gap_m, aside_m = (puck_m - gripper_m)[:2] - (CONTACT_M, 0.0)
    at_puck = _fade(gap_m, 0.0, 0.02) * _fade(abs(aside_m), 0.015, 0.03)
    to_puck_m = _approach(gap_m, aside_m, height_m=gripper_m[2] - PUSH_HEIGHT_M)
    pushing_m = _push_step((goal_m - puck_m)[:2]) + np.array([0.0, 0.3 * aside_m])
    return np.array([*((1 - at_puck) * to_puck_m + at_puck * pushing_m), PUSH_HEIGHT_M - gripper_m[2]])


def _approach(gap_m: float, aside_m: float, *, height_m: float) -> Float[np.ndarray, "2"]:
    """Return a step that lines up with the puck, and only then comes closer; back off if it is out of line and near."""
    in_line = np.clip(1 - abs(aside_m) / 0.02, -1.0, 1.0)
    pace = min(in_line, _fade(height_m, 0.0, 0.05))
    forward_m = -0.02 if gap_m < -0.01 and in_line < 0 else min(gap_m + 0.01, 0.03) * pace
    return np.array([forward_m, aside_m])


def _push_step(way_m: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """Return a step along the way that is left, shorter near its end."""
    left_m = float(np.linalg.norm(way_m))
    return min(PUSH_STEP_M / max(left_m, 1e-6), 0.4) * way_m


def _fade(value: float, start: float, stop: float) -> float:
    """Return 1 up to `start`, 0 from `stop` on, and the line in between."""
    return float(np.clip((stop - value) / (stop - start), 0.0, 1.0))


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
