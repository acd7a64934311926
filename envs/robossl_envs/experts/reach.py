"""Reach."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State


def reach(state: State) -> Float[np.ndarray, "3"]:
    """Go straight to a point just above the table at the ball."""
    target_m = state["goal"] + np.array([0.0, 0.0, 0.01])
    return target_m - state["end_effector"]
