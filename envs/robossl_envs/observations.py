"""What an env's observations look like in each format, as Gymnasium's spaces."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

ObsFormat = Literal["nested", "flat", "state", "goal"]


def observation_space(
    obs_format: ObsFormat,
    *,
    cameras: Sequence[str],
    height_px: int,
    width_px: int,
    proprio_size: int,
    state_size: int,
    goal_size: int = 3,
    goal_image: bool = False,
) -> spaces.Space[Any]:
    """Return the space of a format; without pictures, `state_size` numbers of truth follow proprio."""
    image = spaces.Box(0, 255, (height_px, width_px, 3), np.uint8)
    proprio = spaces.Box(-np.inf, np.inf, (proprio_size,), np.float32)
    state = spaces.Box(-np.inf, np.inf, (proprio_size + state_size,), np.float32)
    goal = spaces.Box(-np.inf, np.inf, (goal_size,), np.float64)
    picture = {"goal": image} if goal_image else {}
    match obs_format:
        case "nested":
            return spaces.Dict({"pixels": spaces.Dict(dict.fromkeys(cameras, image)), "agent_pos": proprio, **picture})
        case "flat":
            return spaces.Dict({**{f"pixels.{name}": image for name in cameras}, "agent_pos": proprio, **picture})
        case "state":
            return state
        case "goal":
            return spaces.Dict({"observation": state, "achieved_goal": goal, "desired_goal": goal})
