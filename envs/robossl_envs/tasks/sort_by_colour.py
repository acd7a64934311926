"""Sort by colour: bring each cube to the plate of its colour."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.sort_by_colour import sort_by_colour
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.lift import CUBE, CUBE_HALF_M
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, above, axes, draw_in_box, draw_until

PLATE_HALF_M = 0.05
PLATE_HALF_HEIGHT_M = 0.002
MIN_WAY_M = 0.13
"""Room for the fingers between any two things."""
THINGS = ("object", "other", "red_plate", "blue_plate")
_UP_M = CUBE_HALF_M - PLATE_HALF_HEIGHT_M


def _plate(name: str, colour_of: BodySpec) -> BodySpec:
    size_m = (PLATE_HALF_M, PLATE_HALF_M, PLATE_HALF_HEIGHT_M)
    return BodySpec(name=name, shape="box", size_m=size_m, collides=False, wears=colour_of.surface, rgb=colour_of.rgb)


BLUE_CUBE = replace(CUBE, name="other", position_m=(0.45, -0.12, CUBE_HALF_M), rgb=(0.15, 0.35, 0.85))


class SortByColour(Task):
    """A plate and its cube wear the same colour in every look; the plates can't be touched."""

    name: ClassVar[str] = "sort_by_colour"
    sentences: ClassVar[tuple[str, ...]] = (
        "sort the cubes by colour",
        "put each cube on the plate of its colour",
        "bring the red cube to the red plate and the blue cube to the blue plate",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.035, max_episode_steps=200, released=("object", "other"))
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        CUBE,
        BLUE_CUBE,
        _plate("red_plate", CUBE),
        _plate("blue_plate", BLUE_CUBE),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "object", "other", "goal", "other_goal")
    uses_gripper: ClassVar[bool] = True
    controller = staticmethod(sort_by_colour)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw cubes and plates apart, and the gripper above them."""

        def draw() -> Layout:
            heights_m = (CUBE_HALF_M, CUBE_HALF_M, PLATE_HALF_HEIGHT_M, PLATE_HALF_HEIGHT_M)
            places_m = [draw_in_box(generator, (0.35, -0.19, z), (0.59, 0.19, z)) for z in heights_m]
            start_m = draw_in_box(generator, (0.34, -0.18, 0.15), (0.58, 0.18, 0.25))
            return Layout(end_effector_m=start_m, bodies_m=dict(zip(THINGS, places_m, strict=True)))

        return draw_until(draw, lambda layout: _apart(list(layout.bodies_m.values())))

    def solved(self, layout: Layout) -> Layout:
        """Return both cubes on their plates, and the open gripper above the second."""
        red_m, blue_m = (above(layout.bodies_m[name], _UP_M) for name in ("red_plate", "blue_plate"))
        return replace(layout.moved(object=red_m, other=blue_m), end_effector_m=above(blue_m, 0.1))

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "6"]:
        """Return the position of the red and of the blue cube [m]."""
        return np.concatenate([simulation.body_pose(name)[0] for name in ("object", "other")])

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "6"]:
        """Return where the cubes are in the middle of their plates [m]."""
        plates_m = [simulation.body_pose(name)[0] for name in ("red_plate", "blue_plate")]
        return np.concatenate([above(plate_m, _UP_M) for plate_m in plates_m])

    def distance(self, achieved: Float[np.ndarray, "*N 6"], desired: Float[np.ndarray, "*N 6"]) -> Any:
        """Return the distance of the cube that is further away [m]."""
        away = np.subtract(achieved, desired)
        return np.linalg.norm(away.reshape(*away.shape[:-1], 2, 3), axis=-1).max(axis=-1)


def _apart(places_m: Sequence[Float[np.ndarray, "3"]]) -> bool:
    return all(np.linalg.norm((a - b)[:2]) > MIN_WAY_M for a, b in combinations(places_m, 2))
