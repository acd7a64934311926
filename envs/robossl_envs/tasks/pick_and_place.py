"""Pick and place: set a cube down on a block."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.pick_and_place import pick_and_place
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.lift import CUBE, CUBE_HALF_M
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, above, axes, draw_in_box, draw_until

BLOCK_HALF_M = 0.045
BLOCK_HALF_HEIGHT_M = 0.02
ABOVE_BLOCK_M = np.array([0.0, 0.0, BLOCK_HALF_HEIGHT_M + CUBE_HALF_M])
MIN_WAY_M = 0.15
"""Room for the fingers between cube and block."""


class PickAndPlace(Task):
    """The block is higher than the cube can be pushed, so that it has to be carried; it must be let go."""

    name: ClassVar[str] = "pick_and_place"
    sentences: ClassVar[tuple[str, ...]] = (
        "put the cube on the block",
        "pick up the red cube and place it on the green block",
        "set the cube down on top of the block",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.03, max_episode_steps=120, released=("object",))
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        CUBE,
        BodySpec(
            name="goal",
            shape="box",
            size_m=(BLOCK_HALF_M, BLOCK_HALF_M, BLOCK_HALF_HEIGHT_M),
            position_m=(0.45, -0.12, BLOCK_HALF_HEIGHT_M),
            friction=0.6,
            rgb=(0.1, 0.75, 0.3),
        ),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "object", "goal")
    uses_gripper: ClassVar[bool] = True
    controller = staticmethod(pick_and_place)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw cube and block apart, and the gripper above them."""

        def draw() -> Layout:
            cube_m = draw_in_box(generator, (0.36, -0.18, CUBE_HALF_M), (0.58, 0.18, CUBE_HALF_M))
            block_m = draw_in_box(generator, (0.36, -0.18, BLOCK_HALF_HEIGHT_M), (0.58, 0.18, BLOCK_HALF_HEIGHT_M))
            start_m = draw_in_box(generator, (0.34, -0.18, 0.15), (0.58, 0.18, 0.25))
            return Layout(end_effector_m=start_m, bodies_m={"object": cube_m, "goal": block_m})

        return draw_until(draw, apart)

    def solved(self, layout: Layout) -> Layout:
        """Return the cube on the block, and the open gripper above."""
        cube_m = layout.bodies_m["goal"] + ABOVE_BLOCK_M
        return replace(layout.moved(object=cube_m), end_effector_m=above(cube_m, 0.1))

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return where the cube's centre is when it stands in the middle of the block [m]."""
        return simulation.body_pose("goal")[0] + ABOVE_BLOCK_M


def apart(layout: Layout) -> bool:
    """Tell whether the gripper has room between cube and goal."""
    way_m = np.subtract(layout.bodies_m["object"], layout.bodies_m["goal"])[:2]
    return bool(np.linalg.norm(way_m) > MIN_WAY_M)
