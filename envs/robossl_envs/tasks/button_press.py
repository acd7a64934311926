"""Button press: push a button down."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.button_press import button_press
from robossl_envs.simulation.scene import ArticulatedSpec, BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, above, axes, draw_in_box

HOUSING_HALF_M = 0.055
HOUSING_HALF_HEIGHT_M = 0.015
CAP_RADIUS_M = 0.042
"""Wider than the gap between the fingers, which press it side by side."""
CAP_HALF_HEIGHT_M = 0.02
CAP_M = 2 * HOUSING_HALF_HEIGHT_M + 0.012
"""Height of the cap's centre where nothing presses it."""
STROKE_M = 0.02

BUTTON = ArticulatedSpec(
    name="button",
    fixed=(
        BodySpec(
            name="housing",
            shape="box",
            size_m=(HOUSING_HALF_M, HOUSING_HALF_M, HOUSING_HALF_HEIGHT_M),
            position_m=(0.0, 0.0, HOUSING_HALF_HEIGHT_M),
            collides=False,
            wears="fixture",
            rgb=(0.85, 0.85, 0.8),
        ),
    ),
    moving=(
        BodySpec(
            name="cap",
            shape="cylinder",
            size_m=(CAP_RADIUS_M, CAP_HALF_HEIGHT_M, 0.0),
            position_m=(0.0, 0.0, CAP_M),
            wears="object",
            rgb=(0.85, 0.25, 0.15),
        ),
    ),
    joint="slide",
    axis=(0.0, 0.0, -1.0),
    limits=(0.0, STROKE_M),
    mass_kg=0.1,
    friction=0.2,
    damping=5.0,
    spring=4.0,
    position_m=(0.5, 0.0, 0.0),
)


class ButtonPress(Task):
    """A spring holds the button up; the housing lets the cap sink into it."""

    name: ClassVar[str] = "button_press"
    sentences: ClassVar[tuple[str, ...]] = (
        "press the button",
        "push the red button down",
        "press down on the big button",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.005, hold_steps=3, max_episode_steps=60)
    bodies: ClassVar[tuple[BodySpec, ...]] = (TABLE, FLOOR)
    articulated: ClassVar[tuple[ArticulatedSpec, ...]] = (BUTTON,)
    environment_state_names: ClassVar[tuple[str, ...]] = (*axes("end_effector", "button"), "pressed")
    controller = staticmethod(button_press)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw the button, and the gripper above the table."""
        button_m = draw_in_box(generator, (0.38, -0.2, 0.0), (0.6, 0.2, 0.0))
        start_m = draw_in_box(generator, (0.34, -0.2, 0.13), (0.6, 0.2, 0.25))
        return Layout(end_effector_m=start_m, bodies_m={"button": button_m})

    def solved(self, layout: Layout) -> Layout:
        """Return the button pressed by the gripper."""
        top_m = CAP_M + CAP_HALF_HEIGHT_M - STROKE_M
        button_m = layout.bodies_m["button"]
        return replace(layout, openings={"button": STROKE_M}, end_effector_m=above(button_m, top_m + 0.01))

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "1"]:
        """Return how far the button is pressed [m]."""
        return np.array([simulation.opening("button")])

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "1"]:
        """Return how far it is to be pressed [m]."""
        return np.array([STROKE_M])

    def distance(self, achieved: Float[np.ndarray, "*N 1"], desired: Float[np.ndarray, "*N 1"]) -> Any:
        """Return how much of the way down is missing [m]."""
        return np.maximum(np.subtract(desired, achieved), 0.0)[..., 0]

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "7"]:
        """Return gripper and cap position [m], and how far the button is pressed [m]."""
        cap_m = simulation.body_pose("cap")[0]
        return np.concatenate([end_effector_m, cap_m, [simulation.opening("button")]])
