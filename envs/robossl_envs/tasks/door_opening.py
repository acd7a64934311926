"""Door opening: swing a door open by its post."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from robossl_envs.experts.door_opening import LEAF_M, door_opening
from robossl_envs.simulation.scene import ArticulatedSpec
from robossl_envs.tasks.opening import Opening, leaf, post, wall
from robossl_envs.tasks.task import Layout, Success, draw_in_box

HANDLE_HEIGHT_M = 0.095

DOOR = ArticulatedSpec(
    name="door",
    fixed=(
        wall("cupboard_back", (0.09, 0.005, 0.035), (-0.085, 0.115, 0.035)),
        wall("cupboard_near", (0.005, 0.05, 0.035), (-0.175, 0.065, 0.035)),
        wall("cupboard_far", (0.005, 0.05, 0.035), (0.005, 0.065, 0.035)),
        wall("cupboard_top", (0.095, 0.052, 0.004), (-0.085, 0.067, 0.074)),
    ),
    moving=(
        leaf("door_leaf", (0.076, 0.006, 0.031), (-0.085, 0.0, 0.037)),
        post(0.027, (-LEAF_M, 0.0, HANDLE_HEIGHT_M)),
    ),
    joint="hinge",
    axis=(0.0, 0.0, 1.0),
    limits=(0.0, 1.5),
    friction=0.05,
    damping=0.05,
    position_m=(0.6, 0.06, 0.0),
)


class DoorOpening(Opening):
    """The door is the side of a cupboard; its post stands on the free end, higher than the cupboard."""

    name: ClassVar[str] = "door_opening"
    sentences: ClassVar[tuple[str, ...]] = (
        "open the door",
        "swing the door of the cupboard open",
        "pull the blue door open by its red post",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.1, unit="rad", max_episode_steps=80)
    articulated: ClassVar[tuple[ArticulatedSpec, ...]] = (DOOR,)
    wanted: ClassVar[float] = 1.0
    controller = staticmethod(door_opening)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw the cupboard with its door closed, and the gripper above the other side of the table."""
        hinge_m = draw_in_box(generator, (0.54, 0.02, 0.0), (0.62, 0.12, 0.0))
        start_m = draw_in_box(generator, (0.36, -0.2, 0.16), (0.58, -0.04, 0.25))
        return Layout(end_effector_m=start_m, bodies_m={"door": hinge_m})

    def solved(self, layout: Layout) -> Layout:
        """Return the door open, its post between the fingers."""
        way_m = LEAF_M * np.array([np.cos(self.wanted), np.sin(self.wanted)])
        handle_m = layout.bodies_m["door"] + np.array([*-way_m, HANDLE_HEIGHT_M])
        return replace(layout, openings={"door": self.wanted}, end_effector_m=handle_m)
