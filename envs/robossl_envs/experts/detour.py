"""Detour."""

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import Controller, State
from robossl_envs.experts.fades import fade

ASIDE_M = 0.15
"""How far beside the obstacle's middle the fingers pass it."""
HEIGHT_M = 0.04


def detour(generator: np.random.Generator) -> Controller:
    """Return an expert that passes the obstacle on a drawn side, or on that where the gripper already is."""
    drawn = float(generator.choice((-1.0, 1.0)))

    def act(state: State) -> Float[np.ndarray, "3"]:
        ahead_m, left_m = (state["end_effector"] - state["obstacle"])[:2]
        side = np.sign(left_m + 0.02 * drawn) or drawn
        passed = 1 - fade(ahead_m, 0.05, 0.09)
        wide = 1 - fade(side * left_m, 0.1, 0.13)
        forward_m = wide * 0.03 + (1 - wide) * np.clip(-0.12 - ahead_m, -0.03, 0.03)
        around_m = np.array([forward_m, side * ASIDE_M - left_m])
        to_goal_m = (state["goal"] - state["end_effector"])[:2]
        return np.array([*(passed * to_goal_m + (1 - passed) * around_m), HEIGHT_M - state["end_effector"][2]])

    return act
