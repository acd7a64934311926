"""Detour: reach a ball behind an obstacle, which can be passed on either side."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.controller import Controller
from robossl_envs.experts.detour import ASIDE_M, detour
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, axes, draw_in_box

BALL_RADIUS_M = 0.03
OBSTACLE_HALF_M = (0.025, 0.06, 0.03)


class Detour(Task):
    """Both ways are equally good, so that the mean of demonstrations leads into the obstacle.

    The fingers can't rise above the obstacle; the hand is higher and does not touch it.
    """

    name: ClassVar[str] = "detour"
    sentences: ClassVar[tuple[str, ...]] = (
        "go round the obstacle to the ball",
        "reach the ball behind the block",
        "pass the block on either side and touch the green ball",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.04, max_episode_steps=70)
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        BodySpec(
            name="obstacle",
            shape="box",
            size_m=OBSTACLE_HALF_M,
            position_m=(0.46, 0.0, OBSTACLE_HALF_M[2]),
            wears="object",
            rgb=(0.85, 0.25, 0.15),
        ),
        BodySpec(
            name="goal",
            shape="sphere",
            size_m=(BALL_RADIUS_M, 0.0, 0.0),
            collides=False,
            rgb=(0.1, 0.75, 0.3),
        ),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = axes("end_effector", "obstacle", "goal")
    robot_limits: ClassVar[Mapping[str, Any]] = {"workspace_high_m": (0.74, 0.34, 0.05)}

    def make_controller(self, generator: np.random.Generator) -> Controller:
        """Return an expert that goes left or right, as drawn."""
        return detour(generator)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw gripper, obstacle and ball nearly in one line."""
        obstacle_m = draw_in_box(generator, (0.44, -0.04, OBSTACLE_HALF_M[2]), (0.47, 0.04, OBSTACLE_HALF_M[2]))
        y = obstacle_m[1]
        start_m = draw_in_box(generator, (0.3, y - 0.01, 0.035), (0.33, y + 0.01, 0.045))
        goal_m = draw_in_box(generator, (0.58, y - 0.02, BALL_RADIUS_M), (0.62, y + 0.02, BALL_RADIUS_M))
        return Layout(end_effector_m=start_m, bodies_m={"obstacle": obstacle_m, "goal": goal_m})

    def solved(self, layout: Layout) -> Layout:
        """Return the gripper at the ball."""
        return replace(layout, end_effector_m=layout.bodies_m["goal"])

    def passes(self, layout: Layout) -> tuple[Float[np.ndarray, "3"], ...]:
        """Return the points beside the obstacle, on either side."""
        aside_m = np.array([0.0, ASIDE_M, 0.0])
        return layout.bodies_m["obstacle"] - aside_m, layout.bodies_m["obstacle"] + aside_m

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """Return where the gripper is [m]."""
        return end_effector_m

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "9"]:
        """Return gripper, obstacle and goal position [m]."""
        return np.concatenate([end_effector_m, simulation.body_pose("obstacle")[0], self.desired_goal(simulation)])
