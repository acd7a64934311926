"""Sweep."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.fades import fade
from robossl_envs.experts.push import PUSH_HEIGHT_M, PUSH_STEP_M

BEHIND_M = 0.085
"""How far behind a puck the gripper comes down."""
HOVER_M = 0.09
"""Height above a push at which the gripper goes from one puck to the next."""


def sweep(state: State) -> Float[np.ndarray, "3"]:
    """Push one puck after the other over the line."""
    step_m = np.array([0.0, 0.0, 0.02])
    for name in ("third", "second", "first"):  # the last that is not over the line has the first say
        left = _left(state["end_effector"], state[name], float(state["line"][0]))
        step_m = left * _advance(state["end_effector"], state[name]) + (1 - left) * step_m
    return step_m


def _left(gripper_m: Float[np.ndarray, "3"], puck_m: Float[np.ndarray, "3"], line_m: float) -> float:
    """Return how much a puck has still to go, 0 to 1.

    It is pushed further than it has to be, so that it counts as done when the gripper leaves it: else the gripper
    would stop half way between a puck that is nearly done and the next.
    """
    near = fade(float(np.linalg.norm(puck_m - gripper_m)), 0.06, 0.1)
    return fade(puck_m[0] - line_m - 0.012 * near, 0.003, 0.006)


def _advance(gripper_m: Float[np.ndarray, "3"], puck_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """Return a step that comes down behind a puck and pushes it ahead."""
    gap_m, aside_m = (puck_m - gripper_m)[:2]
    height_m = gripper_m[2] - PUSH_HEIGHT_M
    room_m = 0.06 * (1 - fade(height_m, 0.02, 0.06))  # the fingers come down behind the puck, and may then touch it
    behind = fade(abs(aside_m), 0.012, 0.03) * (1 - fade(gap_m, room_m, room_m + 0.015))
    pushing = behind * fade(height_m, 0.01, 0.03)
    free = max(behind, 1 - fade(height_m, 0.05, 0.08))  # low and not behind it would sweep the puck aside
    to_puck_m = free * np.array([gap_m - BEHIND_M, aside_m])
    pushing_m = np.array([PUSH_STEP_M if gap_m < 0.06 else 0.02, 0.5 * aside_m])
    return np.array([*(pushing * pushing_m + (1 - pushing) * to_puck_m), (1 - behind) * HOVER_M - height_m])
