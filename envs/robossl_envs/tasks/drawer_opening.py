"""Drawer opening: pull a drawer out by its post."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from robossl_envs.experts.drawer_opening import drawer_opening
from robossl_envs.simulation.scene import ArticulatedSpec
from robossl_envs.tasks.opening import Opening, leaf, post, wall
from robossl_envs.tasks.task import Layout, Success, draw_in_box

HANDLE_M = np.array([0.0, -0.078, 0.058])
"""The post's centre in the closed drawer's frame."""

DRAWER = ArticulatedSpec(
    name="drawer",
    fixed=(
        wall("cabinet_back", (0.09, 0.005, 0.035), (0.0, 0.145, 0.035)),
        wall("cabinet_near", (0.005, 0.07, 0.035), (-0.085, 0.07, 0.035)),
        wall("cabinet_far", (0.005, 0.07, 0.035), (0.085, 0.07, 0.035)),
        wall("cabinet_top", (0.09, 0.075, 0.004), (0.0, 0.075, 0.074)),
    ),
    moving=(
        leaf("drawer_front", (0.085, 0.006, 0.03), (0.0, -0.009, 0.036)),
        leaf("drawer_bottom", (0.074, 0.064, 0.004), (0.0, 0.062, 0.012)),
        leaf("drawer_near", (0.004, 0.064, 0.016), (-0.07, 0.062, 0.032)),
        leaf("drawer_far", (0.004, 0.064, 0.016), (0.07, 0.062, 0.032)),
        leaf("drawer_arm", (0.01, 0.032, 0.006), (0.0, -0.047, 0.028)),
        post(0.03, (0.0, -0.078, 0.058)),
    ),
    joint="slide",
    axis=(0.0, -1.0, 0.0),
    limits=(0.0, 0.13),
    friction=1.0,
    damping=2.0,
    position_m=(0.5, 0.1, 0.0),
)


class DrawerOpening(Opening):
    """The drawer opens sideways, so that the camera sees it; the post stands before its front."""

    name: ClassVar[str] = "drawer_opening"
    sentences: ClassVar[tuple[str, ...]] = (
        "open the drawer",
        "pull the drawer out",
        "slide the blue drawer open by its red post",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.01, max_episode_steps=80)
    articulated: ClassVar[tuple[ArticulatedSpec, ...]] = (DRAWER,)
    wanted: ClassVar[float] = 0.1
    controller = staticmethod(drawer_opening)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw the cabinet with its drawer closed, and the gripper above the other side of the table."""
        cabinet_m = draw_in_box(generator, (0.42, 0.04, 0.0), (0.56, 0.13, 0.0))
        start_m = draw_in_box(generator, (0.38, -0.2, 0.14), (0.6, -0.02, 0.25))
        return Layout(end_effector_m=start_m, bodies_m={"drawer": cabinet_m})

    def solved(self, layout: Layout) -> Layout:
        """Return the drawer open, its post between the fingers."""
        handle_m = layout.bodies_m["drawer"] + HANDLE_M - np.array([0.0, self.wanted, 0.0])
        return replace(layout, openings={"drawer": self.wanted}, end_effector_m=handle_m)
