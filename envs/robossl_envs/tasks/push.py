"""Push: bring a cube to a plate on the table without grasping it."""

from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, axes, draw_in_box

CUBE_HALF_M = 0.035
PLATE_HALF_M = 0.055
MIN_PUSH_M = 0.1
MAX_PUSH_M = 0.2
MAX_ANGLE_RAD = 0.6
"""Largest angle between the way to the plate and straight ahead."""
PLATE_HALF_HEIGHT_M = 0.002


class Push:
    """The plate lies 10 to 20 cm beyond the cube, up to 35 degrees to either side; it can't be touched."""

    name: ClassVar[str] = "push"
    sentence: ClassVar[str] = "push the cube onto the plate"
    success: ClassVar[Success] = Success(max_episode_steps=100)
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        BodySpec(
            name="object",
            shape="box",
            size_m=(CUBE_HALF_M, CUBE_HALF_M, CUBE_HALF_M),
            position_m=(0.5, 0.0, CUBE_HALF_M),
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

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw cube and plate, and a gripper on the robot's side of the cube; the plate is never reached already."""
        cube_m = draw_in_box(generator, (0.38, -0.13, CUBE_HALF_M), (0.45, 0.13, CUBE_HALF_M))
        angle_rad, distance_m = (
            generator.uniform(-MAX_ANGLE_RAD, MAX_ANGLE_RAD),
            generator.uniform(MIN_PUSH_M, MAX_PUSH_M),
        )
        way_m = distance_m * np.array([np.cos(angle_rad), np.sin(angle_rad), 0.0])
        start_m = draw_in_box(generator, (0.26, -0.16, 0.05), (0.31, 0.16, 0.15))
        goal_m = np.array([*(cube_m + way_m)[:2], PLATE_HALF_HEIGHT_M])
        return Layout(end_effector_m=start_m, bodies_m={"object": cube_m, "goal": goal_m})

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """Return the cube's centre."""
        return simulation.body_pose("object")[0]

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return where the cube's centre is when it stands in the middle of the plate."""
        position_m = simulation.body_pose("goal")[0]
        return np.array([position_m[0], position_m[1], CUBE_HALF_M])

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "9"]:
        """Return gripper, cube and goal position [m]."""
        cube_m = simulation.body_pose("object")[0]
        return np.concatenate([end_effector_m, cube_m, self.desired_goal(simulation)])
