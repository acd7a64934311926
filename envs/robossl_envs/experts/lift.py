"""Lift."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.grasping import CARRY_STEP_M, CLOSED, fetch

CUBE_WIDTH_M = 0.05


def lift(state: State) -> Float[np.ndarray, "4"]:
    """Grasp the cube and raise it."""
    opening_m = float(state["gripper"][0])
    fetching, held = fetch(state["end_effector"], opening_m, state["object"], CUBE_WIDTH_M)
    return held * np.array([0.0, 0.0, CARRY_STEP_M, CLOSED]) + (1 - held) * fetching
