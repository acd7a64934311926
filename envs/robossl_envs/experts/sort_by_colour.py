"""Sort by colour."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.fades import fade
from robossl_envs.experts.grasping import let_go, place

CUBE_WIDTH_M = 0.05
DROP_M = (0.013, 0.02)
"""The gripper can't go lower than 2 cm, and holds a cube now and then below its middle."""


def sort_by_colour(state: State) -> Float[np.ndarray, "4"]:
    """Bring the red cube to its plate, then the blue one.

    The first counts as done in a wider range than the one it is let go in, so that it never rests between both.
    """
    gripper_m, opening_m = state["end_effector"], float(state["gripper"][0])
    red_m, blue_m = state["object"], state["other"]
    first = place(gripper_m, opening_m, red_m, state["goal"], width_m=CUBE_WIDTH_M, drop_m=DROP_M)
    second = place(gripper_m, opening_m, blue_m, state["other_goal"], width_m=CUBE_WIDTH_M, drop_m=DROP_M)
    away_m = red_m - state["goal"]
    there = fade(float(np.linalg.norm(away_m[:2])), 0.026, 0.03) * fade(abs(away_m[2]), *DROP_M)
    done = there * let_go(gripper_m, opening_m, red_m, CUBE_WIDTH_M)
    return done * second + (1 - done) * first
