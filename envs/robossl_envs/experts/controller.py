"""What an expert is, and how what it wants becomes an action."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

State = Mapping[str, Float[np.ndarray, " K"]]
"""The environment state by name: positions [m] such as `end_effector`, `object`, `goal`, and single numbers."""
Controller = Callable[[State], Float[np.ndarray, " A"]]
"""Truth to the wanted step of the end effector [m], and the wanted place of the gripper [-1, 1] where it is used."""


def as_action(
    wanted: Float[np.ndarray, " A"], unfinished: Float[np.ndarray, " A"] | float, *, max_step_m: float
) -> Float[np.ndarray, " A"]:
    """Return the action that leads to what a controller wants.

    Args:
        wanted: See `Controller`.
        unfinished: Sum of the actions that are on their way and not yet carried out.
        max_step_m: Of the arm.
    """
    step = wanted[:3] / max_step_m
    step = step - np.broadcast_to(unfinished, wanted.shape)[:3]  # else a delayed step would be taken twice
    step = step / max(1.0, float(np.abs(step).max()))  # keeps the direction
    return np.concatenate([step, wanted[3:]])
