"""The contract that every renderer keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float, Float32, Int32, UInt8

from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Look


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Pictures of some views; depth [m along the optical axis] and masks only where they were asked for."""

    pixels: UInt8[np.ndarray, "V H W C"]
    depth_m: Float32[np.ndarray, "V H W"] | None = None
    masks: Int32[np.ndarray, "V H W"] | None = None
    """0 nothing, 1 the robot, 2 + i body i of the scene."""


class Renderer(Protocol):
    """Draws instants from their visual states; holds no state of the simulation."""

    @property
    def name(self) -> str:
        """What is written into every episode: `tiny`, `gl`, `mujoco-egl`, ..."""
        ...

    def render(
        self,
        visual_states: Float[np.ndarray, "V X"],
        cameras: Sequence[Camera],
        looks: Sequence[Look],
        *,
        height_px: int,
        width_px: int,
        depth: bool = False,
        masks: bool = False,
    ) -> Rendered:
        """Draw V views; view i shows state i through camera i under look i (its surfaces and its light)."""
        ...

    def close(self) -> None:
        """Free what it holds; a second call does nothing."""
        ...
