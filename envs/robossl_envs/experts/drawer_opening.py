"""Drawer opening."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.hooking import hook, pull

WANTED_M = 0.11
"""A little further than the goal."""


def drawer_opening(state: State) -> Float[np.ndarray, "3"]:
    """Take the drawer's post between the fingers and pull it out."""
    reaching_m, hooked, way_m = hook(state["end_effector"], state["handle"])
    pulling_m = np.array([way_m[0], -pull(WANTED_M - float(state["opening"][0])), way_m[2]])
    return hooked * pulling_m + (1 - hooked) * reaching_m
