"""Slide: launch a puck so that it slides into a dock that the gripper can't reach."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.slide import slide
from robossl_envs.simulation.scene import BodySpec, Vector3
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.push import PUCK_HALF_HEIGHT_M
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, axes, draw_in_box

PUCK_RADIUS_M = 0.045
"""Too wide to be wedged between the fingers."""
LIMIT_M = 0.49
"""Furthest that the gripper goes."""
DOCK_HALF_M, DOCK_HALF_WIDTH_M = 0.06, 0.085
DOCK_M = 0.675
"""Where the middle of the dock is ahead, 10 cm beyond what the gripper could push a puck to."""
RIM_HALF_M = 0.006
RIM_HALF_HEIGHT_M = 0.012


def _rim(name: str, size_m: tuple[float, float]) -> BodySpec:
    size: Vector3 = (*size_m, RIM_HALF_HEIGHT_M)
    return BodySpec(name=name, shape="box", size_m=size, wears="fixture", rgb=(0.85, 0.85, 0.8))


RIMS_M = {
    "rim_back": (DOCK_HALF_M + 0.01, 0.0),
    "rim_left": (0.0, DOCK_HALF_WIDTH_M + RIM_HALF_M),
    "rim_right": (0.0, -DOCK_HALF_WIDTH_M - RIM_HALF_M),
}


class Slide(Task):
    """The puck is slippery in every domain, and slides on by itself; the dock is open to the robot and has a low rim.

    Without a rim nothing that knows neither speed nor friction could stop a puck in a place.
    """

    name: ClassVar[str] = "slide"
    sentences: ClassVar[tuple[str, ...]] = (
        "slide the puck into the dock",
        "launch the red puck so that it slides onto the green plate",
        "hit the puck into the dock that is out of reach",
    )
    success: ClassVar[Success] = Success(max_episode_steps=80)
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        BodySpec(
            name="object",
            shape="cylinder",
            size_m=(PUCK_RADIUS_M, PUCK_HALF_HEIGHT_M, 0.0),
            position_m=(0.45, 0.0, PUCK_HALF_HEIGHT_M),
            mass_kg=0.2,
            friction=0.05,
            slippery=True,
            rgb=(0.85, 0.25, 0.15),
        ),
        BodySpec(
            name="goal",
            shape="box",
            size_m=(DOCK_HALF_M, DOCK_HALF_WIDTH_M, 0.002),
            collides=False,
            rgb=(0.1, 0.75, 0.3),
        ),
        _rim("rim_back", (RIM_HALF_M, DOCK_HALF_WIDTH_M + 2 * RIM_HALF_M)),
        _rim("rim_left", (DOCK_HALF_M, RIM_HALF_M)),
        _rim("rim_right", (DOCK_HALF_M, RIM_HALF_M)),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = (*axes("end_effector", "object", "goal"), "speed.x", "speed.y")
    robot_limits: ClassVar[Mapping[str, Any]] = {"workspace_high_m": (LIMIT_M, 0.34, 0.4), "resting_grip": -0.5}
    controller = staticmethod(slide)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw puck and dock, nearly one behind the other, and a gripper on the robot's side of the puck."""
        puck_m = draw_in_box(generator, (0.36, -0.1, PUCK_HALF_HEIGHT_M), (0.39, 0.1, PUCK_HALF_HEIGHT_M))
        start_m = draw_in_box(generator, (0.23, -0.13, 0.05), (0.26, 0.13, 0.15))
        dock_m = np.array([DOCK_M, puck_m[1] + generator.uniform(-0.06, 0.06), 0.002])
        rims_m = {name: np.array([*(dock_m[:2] + away_m), RIM_HALF_HEIGHT_M]) for name, away_m in RIMS_M.items()}
        return Layout(end_effector_m=start_m, bodies_m={"object": puck_m, "goal": dock_m, **rims_m})

    def solved(self, layout: Layout) -> Layout:
        """Return the puck in the dock, and the gripper where it let the puck go."""
        goal_m = np.array([*layout.bodies_m["goal"][:2], PUCK_HALF_HEIGHT_M])
        return replace(
            layout.moved(object=goal_m), end_effector_m=np.array([LIMIT_M, layout.bodies_m["object"][1], 0.03])
        )

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return where the puck's centre is in the middle of the dock."""
        x, y, _ = simulation.body_pose("goal")[0]
        return np.array([x, y, PUCK_HALF_HEIGHT_M])

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "11"]:
        """Return gripper, puck and dock [m], and the puck's velocity on the table [m/s]."""
        usual = super().environment_state(simulation, end_effector_m)
        return np.concatenate([usual, simulation.body_velocity("object")[0][:2]])
