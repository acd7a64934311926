"""Reach: bring the gripper to a ball on the table."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.reach import reach
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, axes, draw_in_box, draw_until

BALL_RADIUS_M = 0.04


class Reach(Task):
    """The ball can't be touched, so that the gripper may end inside it."""

    name: ClassVar[str] = "reach"
    sentences: ClassVar[tuple[str, ...]] = (
        "move the gripper to the ball",
        "reach the green ball",
        "bring the hand to the ball on the table",
    )
    success: ClassVar[Success] = Success(max_episode_steps=50)
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        BodySpec(name="goal", shape="sphere", size_m=(BALL_RADIUS_M, 0.0, 0.0), collides=False, rgb=(0.1, 0.75, 0.3)),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "goal")
    controller = staticmethod(reach)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw gripper and ball at least twice the tolerance apart."""

        def draw() -> Layout:
            start_m = draw_in_box(generator, (0.35, -0.2, 0.08), (0.6, 0.2, 0.3))
            goal_m = draw_in_box(generator, (0.33, -0.22, BALL_RADIUS_M), (0.62, 0.22, BALL_RADIUS_M))
            return Layout(end_effector_m=start_m, bodies_m={"goal": goal_m})

        def apart(layout: Layout) -> bool:
            way_m = np.linalg.norm(layout.end_effector_m - layout.bodies_m["goal"])
            return bool(way_m > 2 * self.success.tolerance_m)

        return draw_until(draw, apart)

    def solved(self, layout: Layout) -> Layout:
        """Return the gripper at the ball."""
        return replace(layout, end_effector_m=layout.bodies_m["goal"])

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """Return where the gripper is."""
        return end_effector_m

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "6"]:
        """Return gripper and goal position [m]."""
        return np.concatenate([end_effector_m, self.desired_goal(simulation)])
