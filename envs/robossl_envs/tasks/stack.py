"""Stack: set a cube down on another one, which can be knocked away."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.pick_and_place import pick_and_place
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.lift import CUBE, CUBE_HALF_M
from robossl_envs.tasks.pick_and_place import apart
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, above, axes, draw_in_box, draw_until

LOWER_HALF_M = 0.03
ABOVE_LOWER_M = np.array([0.0, 0.0, LOWER_HALF_M + CUBE_HALF_M])


class Stack(Task):
    """The lower cube is a little larger. The upper one must be let go and stay."""

    name: ClassVar[str] = "stack"
    sentences: ClassVar[tuple[str, ...]] = (
        "stack the red cube on the green cube",
        "put one cube on top of the other",
        "build a tower of the two cubes",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.025, max_episode_steps=120, released=("object",))
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        CUBE,
        BodySpec(
            name="goal",
            shape="box",
            size_m=(LOWER_HALF_M,) * 3,
            position_m=(0.45, -0.12, LOWER_HALF_M),
            grasped=True,
            mass_kg=0.2,
            friction=0.6,
            rgb=(0.1, 0.75, 0.3),
        ),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "object", "goal")
    uses_gripper: ClassVar[bool] = True
    controller = staticmethod(pick_and_place)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw the cubes apart, and the gripper above them."""

        def draw() -> Layout:
            cube_m = draw_in_box(generator, (0.36, -0.18, CUBE_HALF_M), (0.58, 0.18, CUBE_HALF_M))
            lower_m = draw_in_box(generator, (0.36, -0.18, LOWER_HALF_M), (0.58, 0.18, LOWER_HALF_M))
            start_m = draw_in_box(generator, (0.34, -0.18, 0.17), (0.58, 0.18, 0.25))
            return Layout(end_effector_m=start_m, bodies_m={"object": cube_m, "goal": lower_m})

        return draw_until(draw, apart)

    def solved(self, layout: Layout) -> Layout:
        """Return one cube on the other, and the open gripper above."""
        cube_m = layout.bodies_m["goal"] + ABOVE_LOWER_M
        return replace(layout.moved(object=cube_m), end_effector_m=above(cube_m, 0.1))

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return where the upper cube's centre is when it stands in the middle of the lower one [m]."""
        return simulation.body_pose("goal")[0] + ABOVE_LOWER_M
