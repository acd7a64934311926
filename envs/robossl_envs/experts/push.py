"""Push."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.fades import fade

PUSH_HEIGHT_M = 0.03
PUSH_STEP_M = 0.012
"""Longest step while pushing: a faster gripper would knock the puck away."""
CONTACT_M = 0.042
"""Distance in x from gripper to puck when the puck lies between the fingers."""


def push(state: State) -> Float[np.ndarray, "3"]:
    """Come behind the puck so that it lies between the fingers, then lead it to the plate.

    One phase fades into the next, without a threshold: an action that jumps with the state is hard to clone.
    """
    gripper_m, puck_m, goal_m = state["end_effector"], state["object"], state["goal"]
    gap_m, aside_m = (puck_m - gripper_m)[:2] - (CONTACT_M, 0.0)
    at_puck = fade(gap_m, 0.0, 0.02) * fade(abs(aside_m), 0.015, 0.03)
    to_puck_m = _approach(gap_m, aside_m, height_m=gripper_m[2] - PUSH_HEIGHT_M)
    pushing_m = _push_step((goal_m - puck_m)[:2]) + np.array([0.0, 0.3 * aside_m])
    return np.array([*((1 - at_puck) * to_puck_m + at_puck * pushing_m), PUSH_HEIGHT_M - gripper_m[2]])


def _approach(gap_m: float, aside_m: float, *, height_m: float) -> Float[np.ndarray, "2"]:
    """Return a step that lines up with the puck, and only then comes closer; back off if it is out of line and near."""
    in_line = np.clip(1 - abs(aside_m) / 0.02, -1.0, 1.0)
    pace = min(in_line, fade(height_m, 0.0, 0.05))
    forward_m = -0.02 if gap_m < -0.01 and in_line < 0 else min(gap_m + 0.01, 0.03) * pace
    return np.array([forward_m, aside_m])


def _push_step(way_m: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """Return a step along the way that is left, shorter near its end."""
    left_m = float(np.linalg.norm(way_m))
    return min(PUSH_STEP_M / max(left_m, 1e-6), 0.4) * way_m
