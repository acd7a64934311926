"""Door opening."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.hooking import hook, pull

WANTED_RAD = 1.1
"""A little further than the goal."""
LEAF_M = 0.145
"""From the hinge to the post."""


def door_opening(state: State) -> Float[np.ndarray, "3"]:
    """Take the door's post between the fingers and lead it along its circle."""
    reaching_m, hooked, way_m = hook(state["end_effector"], state["handle"])
    angle_rad = float(state["opening"][0])
    step_m = pull(WANTED_RAD - angle_rad, LEAF_M)
    along_m = step_m * np.array([np.sin(angle_rad), -np.cos(angle_rad)])
    pulling_m = np.array([along_m[0] + way_m[0], along_m[1], way_m[2]])
    return hooked * pulling_m + (1 - hooked) * reaching_m
