"""Peg insertion: put a standing peg into a hole."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.peg_insertion import GRASP_M, peg_insertion
from robossl_envs.simulation.scene import BodySpec, Vector3
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.pick_and_place import apart
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, above, axes, draw_in_box, draw_until

PEG_HALF_M = 0.015
PEG_HALF_HEIGHT_M = 0.05
HOLE_HALF_M = 0.021
"""Six millimetres wider than the peg on each side."""
BLOCK_HALF_M = 0.05
BLOCK_HALF_HEIGHT_M = 0.02
_WALL_HALF_M = (BLOCK_HALF_M - HOLE_HALF_M) / 2
_WALL_AT_M = HOLE_HALF_M + _WALL_HALF_M
WALLS: dict[str, tuple[Vector3, Vector3]] = {
    "wall_left": ((BLOCK_HALF_M, _WALL_HALF_M, BLOCK_HALF_HEIGHT_M), (0.0, _WALL_AT_M, BLOCK_HALF_HEIGHT_M)),
    "wall_right": ((BLOCK_HALF_M, _WALL_HALF_M, BLOCK_HALF_HEIGHT_M), (0.0, -_WALL_AT_M, BLOCK_HALF_HEIGHT_M)),
    "wall_near": ((_WALL_HALF_M, HOLE_HALF_M, BLOCK_HALF_HEIGHT_M), (-_WALL_AT_M, 0.0, BLOCK_HALF_HEIGHT_M)),
    "wall_far": ((_WALL_HALF_M, HOLE_HALF_M, BLOCK_HALF_HEIGHT_M), (_WALL_AT_M, 0.0, BLOCK_HALF_HEIGHT_M)),
}
"""Half extents, and place in the hole's frame [m]."""


class PegInsertion(Task):
    """The hole goes through a block of four walls; its ground wears another colour, so that it can be seen."""

    name: ClassVar[str] = "peg_insertion"
    sentences: ClassVar[tuple[str, ...]] = (
        "put the peg into the hole",
        "insert the red peg into the block",
        "plug the peg into the green socket",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.012, max_episode_steps=150, released=("object",))
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        BodySpec(
            name="object",
            shape="box",
            size_m=(PEG_HALF_M, PEG_HALF_M, PEG_HALF_HEIGHT_M),
            position_m=(0.45, 0.12, PEG_HALF_HEIGHT_M),
            mass_kg=0.1,
            friction=0.6,
            grasped=True,
            rgb=(0.85, 0.25, 0.15),
        ),
        BodySpec(
            name="goal",
            shape="box",
            size_m=(HOLE_HALF_M, HOLE_HALF_M, 0.001),
            position_m=(0.45, -0.12, 0.0),
            collides=False,
            wears="other",
            rgb=(0.15, 0.35, 0.85),
        ),
        *(
            BodySpec(
                name=name,
                shape="box",
                size_m=size_m,
                position_m=(0.45 + at_m[0], -0.12 + at_m[1], at_m[2]),
                wears="goal",
                rgb=(0.1, 0.75, 0.3),
            )
            for name, (size_m, at_m) in WALLS.items()
        ),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "object", "goal")
    uses_gripper: ClassVar[bool] = True
    controller = staticmethod(peg_insertion)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw peg and block apart, and the gripper above them."""

        def draw() -> Layout:
            peg_m = draw_in_box(generator, (0.38, -0.17, PEG_HALF_HEIGHT_M), (0.56, 0.17, PEG_HALF_HEIGHT_M))
            hole_m = draw_in_box(generator, (0.4, -0.17, 0.001), (0.56, 0.17, 0.001))
            start_m = draw_in_box(generator, (0.36, -0.17, 0.19), (0.56, 0.17, 0.28))
            walls_m = {name: hole_m * (1, 1, 0) + np.array(at_m) for name, (_, at_m) in WALLS.items()}
            return Layout(end_effector_m=start_m, bodies_m={"object": peg_m, "goal": hole_m, **walls_m})

        return draw_until(draw, apart)

    def solved(self, layout: Layout) -> Layout:
        """Return the peg in the hole, and the open gripper above."""
        peg_m = above(layout.bodies_m["goal"], PEG_HALF_HEIGHT_M)
        return replace(layout.moved(object=peg_m), end_effector_m=above(peg_m + GRASP_M, 0.08))

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return where the peg's centre is when it stands in the hole [m]."""
        return above(simulation.body_pose("goal")[0] * (1, 1, 0), PEG_HALF_HEIGHT_M)
