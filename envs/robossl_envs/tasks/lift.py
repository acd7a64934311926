"""Lift: raise a cube off the table."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.lift import lift
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, axes, draw_in_box

CUBE_HALF_M = 0.025
CUBE = BodySpec(
    name="object",
    shape="box",
    size_m=(CUBE_HALF_M,) * 3,
    position_m=(0.45, 0.12, CUBE_HALF_M),
    mass_kg=0.1,
    friction=0.6,
    grasped=True,
    rgb=(0.85, 0.25, 0.15),
)
"""Five centimetres: both grippers go round it with room to spare, and it is several pixels wide."""
HOLDING = 0.25
"""The gripper's place with a cube of 5 cm in it, as an action says it."""
LIFTED_M = 0.14
"""Height of the cube's centre."""


class Lift(Task):
    """The height is the goal; where the cube is held does not matter."""

    name: ClassVar[str] = "lift"
    sentences: ClassVar[tuple[str, ...]] = (
        "lift the cube",
        "pick up the red cube",
        "raise the cube off the table",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.02, max_episode_steps=80)
    bodies: ClassVar[tuple[BodySpec, ...]] = (TABLE, FLOOR, CUBE)
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "object")
    uses_gripper: ClassVar[bool] = True
    controller = staticmethod(lift)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw the cube on the table, and the gripper above it."""
        cube_m = draw_in_box(generator, (0.36, -0.18, CUBE_HALF_M), (0.58, 0.18, CUBE_HALF_M))
        start_m = draw_in_box(generator, (0.34, -0.18, 0.13), (0.58, 0.18, 0.25))
        return Layout(end_effector_m=start_m, bodies_m={"object": cube_m})

    def solved(self, layout: Layout) -> Layout:
        """Return the cube in the closed gripper, above where it lay."""
        raised_m = np.array([*layout.bodies_m["object"][:2], LIFTED_M])
        return replace(layout.moved(object=raised_m), end_effector_m=raised_m, grip=HOLDING)

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "1"]:
        """Return the cube's height [m]."""
        return simulation.body_pose("object")[0][2:]

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "1"]:
        """Return the height that is wanted [m]."""
        return np.array([LIFTED_M])

    def distance(self, achieved: Float[np.ndarray, "*N 1"], desired: Float[np.ndarray, "*N 1"]) -> Any:
        """Return how much height is missing [m]."""
        return np.maximum(np.subtract(desired, achieved), 0.0)[..., 0]

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "6"]:
        """Return gripper and cube position [m]."""
        return np.concatenate([end_effector_m, simulation.body_pose("object")[0]])
