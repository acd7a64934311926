"""Ball on a plate: tilt a plate so that a ball rolls to a mark on it and stays there."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.control.task import GoalTask, Layout, State, mechanism
from robossl_envs.control.variations import MOTOR_STRENGTH, Variation
from robossl_envs.control.world import World
from robossl_envs.rendering.camera import Camera
from robossl_envs.simulation.scene import BodySpec, RobotSpec, Vector3
from robossl_envs.tasks.task import Success

MAX_TILT_RAD = 0.2
SERVO_GAIN = 0.06
"""Part of a tilt's error that the servo removes in one physics step: it follows within about 70 ms."""
BALL_RADIUS_M, PLATE_HALF_M, PLATE_TOP_M = 0.03, 0.2, 0.006
ROLLING_M_S2 = 9.81 * 5 / 7
"""Acceleration of a rolling ball on a slope, by the slope's sine."""
BLUE, RED, GREEN = (0.35, 0.25, 0.9), (0.85, 0.25, 0.15), (0.1, 0.75, 0.3)
RIM: tuple[tuple[Vector3, Vector3], ...] = (
    ((0.008, 0.208, 0.026), (PLATE_HALF_M, 0.0, 0.02)),
    ((0.008, 0.208, 0.026), (-PLATE_HALF_M, 0.0, 0.02)),
    ((0.208, 0.008, 0.026), (0.0, PLATE_HALF_M, 0.02)),
    ((0.208, 0.008, 0.026), (0.0, -PLATE_HALF_M, 0.02)),
)
"""Half extents and place of its four sides."""
STIFFNESS_PER_S2, DAMPING_PER_S = 7.0, 4.5
"""Of the spring that the expert puts between ball and mark."""


class BallOnPlate(GoalTask):
    """An action is the wished tilt along x and y. Ball and mark are told in the plate's frame."""

    env_id: ClassVar[str] = "robossl/BallOnPlate-v0"
    sentences: ClassVar[tuple[str, ...]] = (
        "roll the ball onto the mark",
        "tilt the plate until the ball rests on the green mark",
        "bring the red ball to the disc and hold it there",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.03, hold_steps=20, max_episode_steps=150)
    robot: ClassVar[RobotSpec] = mechanism("plate", joints=("tilt_x", "tilt_y"), home=(0.0, 0.0))
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        BodySpec(
            name="table",
            shape="box",
            size_m=(3.0, 3.0, 0.02),
            position_m=(0.0, 0.0, -0.02),
            collides=False,
            rgb=(0.62, 0.5, 0.4),
        ),
        BodySpec(
            name="plate",
            shape="box",
            size_m=(PLATE_HALF_M, PLATE_HALF_M, PLATE_TOP_M),
            collides=False,
            rgb=(0.75, 0.75, 0.72),
        ),
        *(
            BodySpec(
                name=f"rim_{side}",
                wears="rim",
                shape="box",
                size_m=size_m,
                position_m=position_m,
                collides=False,
                rgb=BLUE,
            )
            for side, (size_m, position_m) in enumerate(RIM)
        ),
        BodySpec(
            name="object",
            shape="sphere",
            size_m=(BALL_RADIUS_M, 0.0, 0.0),
            position_m=(0.0, 0.0, 0.2),
            mass_kg=0.1,
            friction=0.6,
            rgb=RED,
        ),
        BodySpec(name="goal", shape="cylinder", size_m=(0.045, 0.001, 0.0), collides=False, rgb=GREEN),
    )
    links: ClassVar[Mapping[str, str]] = {"plate": "plate"} | {f"rim_{side}": "plate" for side in range(len(RIM))}
    cameras: ClassVar[tuple[Camera, ...]] = (
        Camera(name="front", position_m=(0.0, -0.3, 0.9), target_m=(0.0, 0.0, 0.1), up=(0.0, 1.0, 0.0), fov_y_rad=0.66),
        Camera(name="side", position_m=(0.6, -0.5, 0.5), target_m=(0.0, 0.0, 0.1), fov_y_rad=0.66, far_m=8.0),
    )
    variations: ClassVar[tuple[Variation, ...]] = (
        MOTOR_STRENGTH,
        Variation(name="object.mass_kg", nominal=0.1, randomized=(0.05, 0.2), shifted=(0.2, 0.3)),
        Variation(name="object.friction", nominal=0.6, randomized=(0.4, 0.9), shifted=(0.3, 0.4)),
        Variation(name="object.rolling_friction_m", nominal=1e-4, randomized=(0.0, 3e-4), shifted=(3e-4, 4e-4)),
        Variation(name="object.restitution", nominal=0.3, randomized=(0.0, 0.5), shifted=(0.5, 0.7)),
        Variation(name="stand.lean_x_rad", nominal=0.0, randomized=(-0.008, 0.008), shifted=(0.008, 0.012)),
        Variation(name="stand.lean_y_rad", nominal=0.0, randomized=(-0.008, 0.008), shifted=(0.008, 0.012)),
    )
    action_names: ClassVar[tuple[str, ...]] = ("tilt_x", "tilt_y")
    action_scale: ClassVar[Mapping[str, float]] = {"tilt_x_rad": MAX_TILT_RAD, "tilt_y_rad": MAX_TILT_RAD}
    environment_state_names: ClassVar[tuple[str, ...]] = (
        "tilt.x", "tilt.y", "tilt_speed.x", "tilt_speed.y",
        "object.x", "object.y", "object_speed.x", "object_speed.y", "goal.x", "goal.y",
    )  # fmt: skip

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw a ball at rest and a mark at least 10 cm from it."""
        solved = 0
        while True:
            object_m, goal_m = generator.uniform(-0.15, 0.15, 2), generator.uniform(-0.13, 0.13, 2)
            if np.linalg.norm(object_m - goal_m) > 0.1:
                return {"object_m": object_m, "goal_m": goal_m, "num_solved_draws": solved}
            solved += 1

    def place(self, world: World, layout: Layout) -> None:
        """Set the ball's physics; level the plate and lay ball and mark on it."""
        physics = world.physics
        world.set_body(
            "object",
            mass=physics["object.mass_kg"],
            lateralFriction=physics["object.friction"],
            rollingFriction=physics["object.rolling_friction_m"],
            restitution=physics["object.restitution"],
        )
        world.set_link("plate", restitution=1.0, lateralFriction=1.0)  # the ball's values are those of the contact
        world.attach("goal", np.array([*layout["goal_m"], PLATE_TOP_M + 0.001]), link="plate")
        self._lay(world, layout["object_m"])

    def place_solved(self, world: World, layout: Layout) -> None:
        """Lay the ball on the mark."""
        self._lay(world, layout["goal_m"])

    def _lay(self, world: World, ball_m: Float[np.ndarray, "2"]) -> None:
        world.set_joint_state((0.0, 0.0))
        hub_m = world.link_position("plate")
        world.set_body_pose("object", hub_m + np.array([*ball_m, PLATE_TOP_M + BALL_RADIUS_M]))

    def actuate(self, world: World, action: Float[np.ndarray, "2"]) -> None:
        """Let the servos follow the wished tilts, from where a stand that leans takes for level."""
        physics = world.physics
        gain = SERVO_GAIN * physics["motor.strength"]
        wished_x = MAX_TILT_RAD * float(action[0]) + physics["stand.lean_x_rad"]
        wished_y = MAX_TILT_RAD * float(action[1]) + physics["stand.lean_y_rad"]
        world.hold("tilt_y", wished_x, gain=gain)  # to lower the side at +x is to turn about +y
        world.hold("tilt_x", -wished_y, gain=gain)

    def proprio(self, world: World) -> Float[np.ndarray, "4"]:
        """Return the tilts along x and y [rad] and their speeds [rad/s]; ball and mark are for the eyes."""
        (about_x, about_y), (speed_x, speed_y) = world.joint_state()
        return np.array([about_y, -about_x, speed_y, -speed_x])

    def environment_state(self, world: World) -> Float[np.ndarray, "10"]:
        """Return tilts, ball, its speed and mark [m, m/s]."""
        ball_m, speed_m_s = self.achieved_goal(world)[:2], world.body_speed("object")[:2]
        return np.concatenate([self.proprio(world), ball_m, speed_m_s, self.desired_goal(world)[:2]])

    def achieved_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return where the ball is on the plate."""
        return world.in_link("plate", world.body_pose("object")[0]) * (1.0, 1.0, 0.0)

    def desired_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return where the mark is on the plate."""
        return world.attachment("goal") * (1.0, 1.0, 0.0)

    def expert(self, state: State) -> Sequence[float]:
        """Pull the ball to the mark as a damped spring would."""
        actions = []
        for axis in "xy":
            gap_m = state[f"goal.{axis}"] - state[f"object.{axis}"]
            pull_m_s2 = STIFFNESS_PER_S2 * gap_m - DAMPING_PER_S * state[f"object_speed.{axis}"]
            actions.append(pull_m_s2 / (ROLLING_M_S2 * MAX_TILT_RAD))
        return actions
