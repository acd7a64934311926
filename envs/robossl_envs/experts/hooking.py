"""Opening things by a post between the half-open fingers: no grasp is needed."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.fades import fade

HOVER_M = 0.07
"""Height above the place from which the fingers come down on both sides of the post."""
PULL_STEP_M = 0.012


def hook(
    gripper_m: Float[np.ndarray, "3"], post_m: Float[np.ndarray, "3"]
) -> tuple[Float[np.ndarray, "3"], float, Float[np.ndarray, "3"]]:
    """Return the step that brings the post between the fingers, how far it is there, 0 to 1, and the way to it [m]."""
    way_m = post_m - gripper_m
    between = fade(abs(way_m[0]), 0.015, 0.03) * fade(abs(way_m[1]), 0.022, 0.03) * fade(abs(way_m[2]), 0.012, 0.025)
    in_line = max(between, fade(float(np.linalg.norm(way_m[:2])), 0.006, 0.025))
    sideways = max(in_line, 1 - fade(-way_m[2], 0.03, 0.05))  # low and out of line it would hit the post
    step_m = np.array([*(sideways * way_m[:2]), way_m[2] + (1 - in_line) * HOVER_M])
    return step_m, between, way_m


def pull(left: float, reach: float = 1.0) -> float:
    """Return the length of a pulling step, shorter near the end; `left` is in the joint's unit, `reach` in m of it."""
    return min(PULL_STEP_M, 0.5 * max(left, 0.0) * reach + 0.002)
