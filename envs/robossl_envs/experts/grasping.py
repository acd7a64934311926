"""What every task of grasping does: fetch a thing, carry it, set it down."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.fades import fade, shortened

OPEN, CLOSED = 1.0, -1.0
HOVER_M = 0.09
"""Height above a thing from which it is approached."""
CARRY_M = 0.07
"""Height above where it is to stand at which a thing is carried."""
CARRY_STEP_M = 0.01
"""Longest step with a thing in the fingers: faster ones make it slip."""


def fetch(
    gripper_m: Float[np.ndarray, "3"], opening_m: float, thing_m: Float[np.ndarray, "3"], width_m: float
) -> tuple[Float[np.ndarray, "4"], float]:
    """Return the action that comes to hold a thing of this width, and how far it is held, 0 to 1.

    The gripper goes over the thing, comes down the more the better it is in line, and closes the more the lower it is.
    """
    way_m = thing_m - gripper_m
    aside_m, below_m = float(np.linalg.norm(way_m[:2])), float(-way_m[2])
    between = fade(abs(way_m[0]), 0.035, 0.045) * fade(abs(way_m[1]), 0.015, 0.025) * fade(abs(way_m[2]), 0.03, 0.04)
    in_line = max(fade(aside_m, 0.006, 0.03), between)
    around = fade(aside_m, 0.008, 0.016) * fade(below_m, 0.006, 0.015)
    held = between * fade(opening_m - width_m, 0.008, 0.018) * (1 - fade(opening_m, 0.3 * width_m, 0.5 * width_m))
    sideways = max(in_line, 1 - fade(below_m, 0.04, 0.07))  # low and out of line it would sweep the thing away
    down_m = max(way_m[2] + (1 - in_line) * HOVER_M, -0.01 - 0.5 * max(below_m - 0.02, 0.0))  # slower towards the end
    closing = max(around, held)
    return np.array([*(sideways * way_m[:2]), down_m, closing * CLOSED + (1 - closing) * OPEN]), held


def carry(
    thing_m: Float[np.ndarray, "3"], goal_m: Float[np.ndarray, "3"], *, over_m: tuple[float, float] = (0.006, 0.04)
) -> Float[np.ndarray, "4"]:
    """Return the action that brings a held thing to a place: up, across, and down the better it is over the place."""
    way_m = goal_m - thing_m
    over = fade(float(np.linalg.norm(way_m[:2])), *over_m)
    sideways = max(over, 1 - fade(-way_m[2], 0.02, 0.05))
    up_m = way_m[2] + (1 - over) * CARRY_M
    return np.array([*shortened(sideways * way_m[:2], CARRY_STEP_M), np.clip(up_m, -CARRY_STEP_M, 0.02), CLOSED])


def leave(opening_m: float, width_m: float) -> Float[np.ndarray, "4"]:
    """Return the action that lets go and then rises."""
    free = 1 - fade(opening_m - width_m, 0.006, 0.016)
    return np.array([0.0, 0.0, 0.03 * free, OPEN])


def place(
    gripper_m: Float[np.ndarray, "3"],
    opening_m: float,
    thing_m: Float[np.ndarray, "3"],
    goal_m: Float[np.ndarray, "3"],
    *,
    width_m: float,
    drop_m: tuple[float, float] = (0.004, 0.01),
) -> Float[np.ndarray, "4"]:
    """Return the action that sets a thing down at a place.

    It is let go between these two heights above the place.
    """
    away_m = thing_m - goal_m
    placed = fade(float(np.linalg.norm(away_m[:2])), 0.012, 0.02) * fade(abs(away_m[2]), *drop_m)
    fetching, held = fetch(gripper_m, opening_m, thing_m, width_m)
    bringing = held * carry(thing_m, goal_m - np.array([0.0, 0.0, 0.004])) + (1 - held) * fetching
    return placed * leave(opening_m, width_m) + (1 - placed) * bringing


def let_go(
    gripper_m: Float[np.ndarray, "3"], opening_m: float, thing_m: Float[np.ndarray, "3"], width_m: float
) -> float:
    """Return how far the fingers are off a thing, 0 to 1: open wide enough, or away from it."""
    near = fade(float(np.linalg.norm(thing_m - gripper_m)), 0.03, 0.06)
    return 1 - near * fade(opening_m - width_m, 0.006, 0.016)
