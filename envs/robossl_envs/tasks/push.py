"""Push: bring a puck to a plate on the table without grasping it."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.push import CONTACT_M, push
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, axes, draw_in_box

PUCK_RADIUS_M = 0.035
PUCK_HALF_HEIGHT_M = 0.025
PLATE_HALF_M = 0.055
MIN_PUSH_M = 0.09
MAX_PUSH_M = 0.22
MAX_ANGLE_RAD = 0.7
"""Largest angle between the way to the plate and straight ahead."""
PLATE_HALF_HEIGHT_M = 0.002


class Push(Task):
    """The plate lies 9 to 22 cm beyond the puck, up to 40 degrees to either side; it can't be touched.

    A round body lies stable between two fingers, whatever the way: pushing it can be learned from a few demonstrations.
    """

    name: ClassVar[str] = "push"
    sentences: ClassVar[tuple[str, ...]] = (
        "push the puck onto the plate",
        "slide the red puck to the green plate",
        "move the puck forward until it lies on the plate",
    )
    success: ClassVar[Success] = Success(max_episode_steps=100)
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        BodySpec(
            name="object",
            shape="cylinder",
            size_m=(PUCK_RADIUS_M, PUCK_HALF_HEIGHT_M, 0.0),
            position_m=(0.5, 0.0, PUCK_HALF_HEIGHT_M),
            mass_kg=0.2,
            friction=0.5,
            rgb=(0.85, 0.25, 0.15),
        ),
        BodySpec(
            name="goal",
            shape="box",
            size_m=(PLATE_HALF_M, PLATE_HALF_M, PLATE_HALF_HEIGHT_M),
            collides=False,
            rgb=(0.1, 0.75, 0.3),
        ),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "object", "goal")
    controller = staticmethod(push)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw puck and plate, and a gripper on the robot's side of the puck; the plate is never reached already."""
        puck_m = draw_in_box(generator, (0.38, -0.13, PUCK_HALF_HEIGHT_M), (0.45, 0.13, PUCK_HALF_HEIGHT_M))
        angle_rad, distance_m = (
            generator.uniform(-MAX_ANGLE_RAD, MAX_ANGLE_RAD),
            generator.uniform(MIN_PUSH_M, MAX_PUSH_M),
        )
        way_m = distance_m * np.array([np.cos(angle_rad), np.sin(angle_rad), 0.0])
        start_m = draw_in_box(generator, (0.26, -0.16, 0.05), (0.31, 0.16, 0.15))
        goal_m = np.array([*(puck_m + way_m)[:2], PLATE_HALF_HEIGHT_M])
        return Layout(end_effector_m=start_m, bodies_m={"object": puck_m, "goal": goal_m})

    def solved(self, layout: Layout) -> Layout:
        """Return the puck on the plate, between the fingers."""
        goal_m = np.array([*layout.bodies_m["goal"][:2], PUCK_HALF_HEIGHT_M])
        return replace(layout.moved(object=goal_m), end_effector_m=goal_m - np.array([CONTACT_M, 0.0, 0.0]))

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return where the puck's centre is when it stands in the middle of the plate."""
        position_m = simulation.body_pose("goal")[0]
        return np.array([position_m[0], position_m[1], PUCK_HALF_HEIGHT_M])
