"""The pictures that a policy looks at, out of what an env shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

from robossl.errors import ConfigError
from robossl.policies.demonstrations import GOAL_VIEW


def views_of(observation: Mapping[str, Any], cameras: Sequence[str]) -> UInt8[np.ndarray, "N V 3 H W"]:
    """Return the pictures of these cameras in their order; `goal` is the picture of the solved task.

    Args:
        observation: nested, N at a time.
        cameras: at least one.

    Raises:
        ConfigError: the observation lacks a camera.
    """
    frames = {**observation["pixels"], **({GOAL_VIEW: observation[GOAL_VIEW]} if GOAL_VIEW in observation else {})}
    for name in cameras:
        if name not in frames:
            raise ConfigError(f"the policy sees camera {name!r}, but the env shows {', '.join(frames)}")
    views = np.stack([frames[name] for name in cameras], axis=1)  # [N,V,H,W,3]
    return np.ascontiguousarray(views.transpose(0, 1, 4, 2, 3))
