"""Slide."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.fades import fade
from robossl_envs.experts.push import PUSH_HEIGHT_M

CONTACT_M = 0.062
"""Distance in x from gripper to puck when the puck lies against the fingers."""
LAUNCH_STEP_M = 0.045
"""Longest step of the launch: more than the arm does in one, since delayed actions are taken off it."""
FASTER, FIRST_STEP_M = 1.5, 0.008
"""A step of the launch is so many times what the puck does by itself, and this: what is hit at once jumps away."""
STEPS_A_SECOND = 20.0
BEYOND_M = 0.59
"""Where the puck is out of reach."""


def slide(state: State) -> Float[np.ndarray, "3"]:
    """Come behind the puck, touch it softly, push faster and faster along the way to the dock, and let it slide."""
    gripper_m, puck_m, goal_m = state["end_effector"], state["object"], state["goal"]
    gap_m, aside_m = (puck_m - gripper_m)[:2] - (CONTACT_M, 0.0)
    way_m, height_m = (goal_m - puck_m)[:2], gripper_m[2] - PUSH_HEIGHT_M
    in_line = fade(abs(aside_m), 0.008, 0.02) * fade(height_m, 0.008, 0.03)
    rolling_m = max(float(state["speed"][0]), 0.0) / STEPS_A_SECOND
    closer_m = rolling_m + min(0.5 * (gap_m + 0.006), 0.03) if gap_m > 0 else min(0.5 * gap_m + 0.006, 0.006)
    behind_m = gap_m - 0.04  # out of line it waits before the puck
    to_puck_m = np.array([in_line * closer_m + (1 - in_line) * np.clip(behind_m, -0.02, 0.03), aside_m])
    at_puck = in_line * fade(gap_m, 0.003, 0.01)
    ahead_m = min(FASTER * float(state["speed"][0]) / STEPS_A_SECOND + FIRST_STEP_M, LAUNCH_STEP_M)
    launch_m = np.array([ahead_m, ahead_m * way_m[1] / max(way_m[0], 0.05) + 0.3 * aside_m])
    gone = 1 - fade(puck_m[0], BEYOND_M - 0.02, BEYOND_M)
    step_m = (1 - gone) * ((1 - at_puck) * to_puck_m + at_puck * launch_m)
    return np.array([*step_m, -height_m])
