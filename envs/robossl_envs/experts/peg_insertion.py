"""Peg insertion."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.fades import fade, shortened
from robossl_envs.experts.grasping import carry, fetch, leave

PEG_WIDTH_M = 0.03
GRASP_M = np.array([0.0, 0.0, 0.025])
"""The peg is held this much above its middle, so that the fingers stay above the hole."""
NEAR_M, NEAR_STEP_M = 0.1, 0.015
"""Longest step so near to the peg: an arm that swings on would tip it over."""
OVER_M = (0.003, 0.012)
"""Off the hole's axis by less than this the peg comes down."""


def peg_insertion(state: State) -> Float[np.ndarray, "4"]:
    """Pick the peg up, bring it over the hole and let it down."""
    gripper_m, opening_m = state["end_effector"], float(state["gripper"][0])
    peg_m, hole_m = state["object"], state["goal"]
    away_m = peg_m - hole_m
    inserted = fade(float(np.linalg.norm(away_m[:2])), 0.012, 0.02) * fade(away_m[2], 0.006, 0.012)
    fetching, held = fetch(gripper_m, opening_m, peg_m + GRASP_M, PEG_WIDTH_M)
    near = fade(float(np.linalg.norm(peg_m + GRASP_M - gripper_m)), NEAR_M / 2, NEAR_M)
    fetching[:3] = shortened(fetching[:3], near * NEAR_STEP_M + (1 - near) * 0.06)
    bringing = held * carry(peg_m, hole_m, over_m=OVER_M) + (1 - held) * fetching
    return inserted * leave(opening_m, PEG_WIDTH_M) + (1 - inserted) * bringing
