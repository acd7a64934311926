"""Navigation: drive a wheeled robot round obstacles to a disc on the floor of a room."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.control.paths import next_waypoint
from robossl_envs.control.task import GoalTask, Layout, State, mechanism
from robossl_envs.control.variations import MOTOR_STRENGTH, Variation
from robossl_envs.control.world import World
from robossl_envs.rendering.camera import Camera
from robossl_envs.simulation.scene import BodySpec, RobotSpec, Vector3
from robossl_envs.tasks.task import Success

ROOM_HALF_M, WALL_HALF_M = 1.0, 0.03
ROBOT_RADIUS_M, WHEEL_BASE_M, MAX_WHEEL_M_S = 0.1, 0.16, 0.6
MOTOR_N, MOTOR_N_M = 15.0, 1.5
"""Most force and torque that brings the robot to the speed of its wheels."""
NUM_OBSTACLES, OBSTACLE_M, BOX_HALF_M = 4, 0.14, 0.1
"""Radius of the round ones; half a side of the square ones, whose corners reach as far."""
BETWEEN_M = 0.62
"""Least distance of two obstacles' centres: the robot fits through everywhere."""
CLEARANCE_M = OBSTACLE_M + ROBOT_RADIUS_M + 0.04
BLUE, RED, GREEN, WHITE = (0.35, 0.25, 0.9), (0.85, 0.25, 0.15), (0.1, 0.75, 0.3), (1.0, 1.0, 1.0)
_WALL_M = ROOM_HALF_M + WALL_HALF_M
WALLS: tuple[tuple[Vector3, Vector3], ...] = (
    ((WALL_HALF_M, ROOM_HALF_M + 2 * WALL_HALF_M, 0.06), (_WALL_M, 0.0, 0.06)),
    ((WALL_HALF_M, ROOM_HALF_M + 2 * WALL_HALF_M, 0.06), (-_WALL_M, 0.0, 0.06)),
    ((ROOM_HALF_M, WALL_HALF_M, 0.06), (0.0, _WALL_M, 0.06)),
    ((ROOM_HALF_M, WALL_HALF_M, 0.06), (0.0, -_WALL_M, 0.06)),
)
"""Half extents and place of the four walls."""


def _obstacle(index: int) -> BodySpec:
    round_ = index % 2 == 0
    return BodySpec(
        name=f"obstacle_{index}",
        wears="obstacle",
        shape="cylinder" if round_ else "box",
        size_m=(OBSTACLE_M, 0.09, 0.0) if round_ else (BOX_HALF_M, BOX_HALF_M, 0.09),
        position_m=(index - 1.5, 0.5, 0.09),
        rgb=RED,
    )


class RoomNavigation(GoalTask):
    """An action is the speed of the left and the right wheel; walls and obstacles stop the robot."""

    env_id: ClassVar[str] = "robossl/RoomNavigation-v0"
    sentences: ClassVar[tuple[str, ...]] = (
        "drive the robot to the disc",
        "go round the obstacles to the green disc",
        "bring the blue robot to its goal on the floor",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.1, hold_steps=5, max_episode_steps=200)
    robot: ClassVar[RobotSpec] = mechanism("rover", joints=("x", "y", "heading"), home=(0.0, 0.0, 0.0))
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        BodySpec(
            name="table",
            shape="box",
            size_m=(4.0, 4.0, 0.02),
            position_m=(0.0, 0.0, -0.02),
            collides=False,
            rgb=(0.62, 0.58, 0.52),
        ),
        *(
            BodySpec(
                name=f"wall_{side}",
                wears="fixture",
                shape="box",
                size_m=size_m,
                position_m=position_m,
                rgb=(0.3, 0.3, 0.32),
            )
            for side, (size_m, position_m) in enumerate(WALLS)
        ),
        *(_obstacle(index) for index in range(NUM_OBSTACLES)),
        BodySpec(
            name="chassis",
            shape="cylinder",
            size_m=(ROBOT_RADIUS_M, 0.05, 0.0),
            position_m=(0.0, 0.0, 0.06),
            collides=False,
            rgb=BLUE,
        ),
        BodySpec(
            name="nose",
            wears="robot",
            shape="box",
            size_m=(0.055, 0.032, 0.01),
            position_m=(0.055, 0.0, 0.115),
            collides=False,
            rgb=WHITE,
        ),
        *(
            BodySpec(
                name=name,
                wears="robot",
                shape="box",
                size_m=(0.04, 0.012, 0.035),
                position_m=(0.0, aside_m, 0.035),
                collides=False,
                rgb=WHITE,
            )
            for name, aside_m in (("left_wheel", 0.105), ("right_wheel", -0.105))
        ),
        BodySpec(name="goal", shape="cylinder", size_m=(0.12, 0.003, 0.0), collides=False, rgb=GREEN),
    )
    links: ClassVar[Mapping[str, str]] = dict.fromkeys(("chassis", "nose", "left_wheel", "right_wheel"), "chassis")
    cameras: ClassVar[tuple[Camera, ...]] = (
        Camera(name="front", position_m=(0.0, -0.5, 2.8), target_m=(0.0, 0.0, 0.0), up=(0.0, 1.0, 0.0), fov_y_rad=0.78),
        Camera(name="side", position_m=(0.0, -2.3, 2.0), target_m=(0.0, -0.1, 0.0), fov_y_rad=0.72, far_m=8.0),
    )
    variations: ClassVar[tuple[Variation, ...]] = (
        MOTOR_STRENGTH,
        Variation(name="chassis.mass_kg", nominal=3.0, randomized=(2.0, 4.5), shifted=(4.5, 5.5)),
        Variation(name="chassis.friction", nominal=0.3, randomized=(0.1, 0.6), shifted=(0.6, 0.8)),
        Variation(name="wheels.pull", nominal=0.0, randomized=(-0.08, 0.08), shifted=(0.08, 0.12)),
    )
    """`wheels.pull`: part by which the right wheel is larger than nominal and the left one smaller."""
    action_names: ClassVar[tuple[str, ...]] = ("left_wheel", "right_wheel")
    action_scale: ClassVar[Mapping[str, float]] = {"left_wheel_m_s": MAX_WHEEL_M_S, "right_wheel_m_s": MAX_WHEEL_M_S}
    environment_state_names: ClassVar[tuple[str, ...]] = (
        "robot.x", "robot.y", "robot.cos", "robot.sin", "robot.speed", "robot.turning", "goal.x", "goal.y",
        *(f"obstacle_{index}.{axis}" for index in range(NUM_OBSTACLES) for axis in "xy"),
    )  # fmt: skip

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw obstacles that leave a way everywhere, and start and goal clear of them, at least 90 cm apart."""
        obstacles_m = _draw_apart(generator)
        solved = 0
        while True:
            start_m, goal_m = generator.uniform(-0.85, 0.85, (2, 2))
            away_m = float(np.linalg.norm(start_m - goal_m))
            near_m = min(np.linalg.norm(obstacles_m - point_m, axis=1).min() for point_m in (start_m, goal_m))
            if near_m > CLEARANCE_M + 0.05 and away_m > 0.9:
                break
            solved += int(away_m < self.success.tolerance_m)
        return {
            "obstacles_m": obstacles_m,
            "robot": (*start_m, generator.uniform(-np.pi, np.pi)),
            "goal_m": goal_m,
            "num_solved_draws": solved,
        }

    def place(self, world: World, layout: Layout) -> None:
        """Set mass and friction; place obstacles, disc and robot."""
        world.set_link_mass("chassis", world.physics["chassis.mass_kg"])
        world.set_link("chassis", lateralFriction=world.physics["chassis.friction"])
        for index, position_m in enumerate(layout["obstacles_m"]):
            world.set_body_pose(f"obstacle_{index}", np.array([*position_m, 0.09]))
        world.attach("goal", np.array([*layout["goal_m"], 0.003]))
        world.set_joint_state(layout["robot"])

    def place_solved(self, world: World, layout: Layout) -> None:
        """Put the robot on the disc, heading as it does at the start."""
        world.set_joint_state((*layout["goal_m"], layout["robot"][2]))

    def actuate(self, world: World, action: Float[np.ndarray, "2"]) -> None:
        """Drive the robot as its wheels turn, without sliding sideways, as far as its motors can."""
        physics = world.physics
        pull = np.array([1 - physics["wheels.pull"], 1 + physics["wheels.pull"]])
        left_m_s, right_m_s = MAX_WHEEL_M_S * physics["motor.strength"] * pull * action
        forward_m_s, heading_rad = (left_m_s + right_m_s) / 2, world.joint_state()[0][2]
        world.drive_at_speed("x", forward_m_s * np.cos(heading_rad), max_force=MOTOR_N)
        world.drive_at_speed("y", forward_m_s * np.sin(heading_rad), max_force=MOTOR_N)
        world.drive_at_speed("heading", (right_m_s - left_m_s) / WHEEL_BASE_M, max_force=MOTOR_N_M)

    def proprio(self, world: World) -> Float[np.ndarray, "4"]:
        """Return cosine and sine of the heading, speed [m/s] and turning [rad/s]; the place is for the eyes."""
        (_, _, heading_rad), (x_m_s, y_m_s, turning_rad_s) = world.joint_state()
        cos, sin = np.cos(heading_rad), np.sin(heading_rad)
        return np.array([cos, sin, x_m_s * cos + y_m_s * sin, turning_rad_s])

    def environment_state(self, world: World) -> Float[np.ndarray, "16"]:
        """Return the robot, the disc and the obstacles [m]."""
        obstacles_m = [world.body_pose(f"obstacle_{index}")[0][:2] for index in range(NUM_OBSTACLES)]
        robot_m, goal_m = self.achieved_goal(world)[:2], self.desired_goal(world)[:2]
        return np.concatenate([robot_m, self.proprio(world), goal_m, *obstacles_m])

    def achieved_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return where the robot is."""
        return np.array([*world.joint_state()[0][:2], 0.0])

    def desired_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return the disc's centre."""
        return world.attachment("goal") * (1.0, 1.0, 0.0)

    def expert(self, state: State) -> Sequence[float]:
        """Steer to the furthest point in sight on the shortest way (Coulter 1992, Pure pursuit), slowly near it."""
        robot_m, goal_m = np.array([state["robot.x"], state["robot.y"]]), (state["goal.x"], state["goal.y"])
        obstacles_m = tuple(
            (state[f"obstacle_{index}.x"], state[f"obstacle_{index}.y"]) for index in range(NUM_OBSTACLES)
        )
        x_m, y_m = next_waypoint(robot_m, goal_m, obstacles_m, clearance_m=CLEARANCE_M) - robot_m
        ahead_m = x_m * state["robot.cos"] + y_m * state["robot.sin"]
        aside_m = y_m * state["robot.cos"] - x_m * state["robot.sin"]
        off_rad = np.arctan2(aside_m, ahead_m)
        slow = min(1.0, float(np.linalg.norm(np.subtract(goal_m, robot_m))) / 0.2)
        forward = slow * max(0.0, np.cos(off_rad)) ** 2
        turn = slow * np.clip(0.8 * off_rad, -0.6, 0.6)
        largest = max(1.0, abs(forward) + abs(turn))
        return [(forward - turn) / largest, (forward + turn) / largest]


def _draw_apart(generator: np.random.Generator) -> Float[np.ndarray, "4 2"]:
    """Draw the obstacles one after the other; start anew where the first ones leave no room for the others."""
    while True:
        points_m = generator.uniform(-0.55, 0.55, (1, 2))
        for point_m in generator.uniform(-0.55, 0.55, (40, 2)):
            if np.linalg.norm(points_m - point_m, axis=1).min() > BETWEEN_M:
                points_m = np.vstack([points_m, point_m])
            if len(points_m) == NUM_OBSTACLES:
                return points_m
