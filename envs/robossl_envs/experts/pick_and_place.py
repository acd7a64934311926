"""Pick and place, and stack: a cube is set down on something."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.grasping import place

CUBE_WIDTH_M = 0.05


def pick_and_place(state: State) -> Float[np.ndarray, "4"]:
    """Bring the cube to where the goal says."""
    opening_m = float(state["gripper"][0])
    return place(state["end_effector"], opening_m, state["object"], state["goal"], width_m=CUBE_WIDTH_M)
