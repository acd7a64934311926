"""Button press."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import State
from robossl_envs.experts.fades import fade

HOVER_M = 0.05
"""Height of the gripper above the cap's top until it is over the button."""
TOP_M = 0.02
"""Height of the cap's top above its centre."""
STROKE_M = 0.02
PRESS_STEP_M = 0.015


def button_press(state: State) -> Float[np.ndarray, "3"]:
    """Go over the button, and down the more the better the gripper is over it; press no deeper than it goes."""
    way_m = state["button"] + np.array([0.0, 0.0, TOP_M]) - state["end_effector"]
    over = fade(float(np.linalg.norm(way_m[:2])), 0.01, 0.04)
    deeper_m = STROKE_M + 0.01 - float(state["pressed"][0])
    down_m = way_m[2] - over * deeper_m + (1 - over) * HOVER_M
    return np.array([*way_m[:2], max(down_m, -PRESS_STEP_M - max(-way_m[2] - 0.02, 0.0))])
