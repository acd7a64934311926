"""Two-link reacher: bring the tip of an arm on a table to a disc, with a motor in each of its two joints."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.control.task import GoalTask, Layout, State, mechanism
from robossl_envs.control.variations import MOTOR_STRENGTH, Variation
from robossl_envs.control.world import World
from robossl_envs.rendering.camera import Camera
from robossl_envs.simulation.scene import BodySpec, RobotSpec
from robossl_envs.tasks.task import Success

UPPER_M, FOREARM_M = 0.2, 0.18
SHOULDER_N_M, ELBOW_N_M = 0.5, 0.25
MAX_TORQUES_N_M = np.array([SHOULDER_N_M, ELBOW_N_M])
BLUE, RED, GREEN = (0.35, 0.25, 0.9), (0.85, 0.25, 0.15), (0.1, 0.75, 0.3)

STIFFNESS = np.array([1.2, 0.3])
"""Of the expert's springs [N m/rad]."""
DAMPING = np.array([0.3, 0.06])
"""Of the expert's springs [N m s/rad]."""


class TwoLinkReacher(GoalTask):
    """Both joints turn about z, without limits. The forearm is longer or shorter by the episode."""

    env_id: ClassVar[str] = "robossl/TwoLinkReacher-v0"
    sentences: ClassVar[tuple[str, ...]] = (
        "move the fingertip to the disc",
        "reach the green disc with the end of the arm",
        "bring the tip of the arm over the goal",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.03, unit="m", hold_steps=10, max_episode_steps=100)
    robot: ClassVar[RobotSpec] = mechanism(
        "two_link", joints=("shoulder", "elbow", "telescope"), home=(0.0, 0.5, FOREARM_M)
    )
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        BodySpec(
            name="table",
            shape="box",
            size_m=(1.5, 1.5, 0.02),
            position_m=(0.0, 0.0, -0.02),
            collides=False,
            rgb=(0.62, 0.5, 0.4),
        ),
        BodySpec(
            name="pillar",
            wears="upper_arm",
            shape="cylinder",
            size_m=(0.035, 0.04, 0.0),
            position_m=(0.0, 0.0, 0.04),
            collides=False,
            rgb=BLUE,
        ),
        BodySpec(
            name="upper_arm",
            shape="box",
            size_m=(UPPER_M / 2, 0.022, 0.012),
            position_m=(UPPER_M / 2, 0.0, 0.0),
            collides=False,
            rgb=BLUE,
        ),
        BodySpec(
            name="forearm",
            wears="upper_arm",
            shape="box",
            size_m=(0.065, 0.018, 0.012),
            position_m=(0.065, 0.0, 0.0),
            collides=False,
            rgb=BLUE,
        ),
        BodySpec(
            name="tube",
            wears="upper_arm",
            shape="box",
            size_m=(0.06, 0.012, 0.008),
            position_m=(-0.06, 0.0, 0.0),
            collides=False,
            rgb=BLUE,
        ),
        BodySpec(name="fingertip", shape="sphere", size_m=(0.035, 0.0, 0.0), collides=False, rgb=RED),
        BodySpec(name="goal", shape="cylinder", size_m=(0.05, 0.004, 0.0), collides=False, rgb=GREEN),
    )
    links: ClassVar[Mapping[str, str]] = {
        "upper_arm": "upper_arm", "forearm": "forearm", "tube": "fingertip", "fingertip": "fingertip",
    }  # fmt: skip
    cameras: ClassVar[tuple[Camera, ...]] = (
        Camera(name="front", position_m=(0.0, -0.1, 1.2), target_m=(0.0, 0.0, 0.0), up=(0.0, 1.0, 0.0), fov_y_rad=0.74),
        Camera(name="side", position_m=(0.0, -1.0, 0.8), target_m=(0.0, 0.0, 0.0), fov_y_rad=0.75),
    )
    variations: ClassVar[tuple[Variation, ...]] = (
        MOTOR_STRENGTH,
        Variation(name="upper_arm.mass_kg", nominal=0.3, randomized=(0.2, 0.45), shifted=(0.45, 0.55)),
        Variation(name="forearm.mass_kg", nominal=0.2, randomized=(0.13, 0.3), shifted=(0.3, 0.36)),
        Variation(name="forearm.length_m", nominal=FOREARM_M, randomized=(0.165, 0.195), shifted=(0.195, 0.205)),
        Variation(name="joints.damping_n_m_s_per_rad", nominal=0.02, randomized=(0.01, 0.03), shifted=(0.03, 0.04)),
    )
    action_names: ClassVar[tuple[str, ...]] = ("shoulder", "elbow")
    action_scale: ClassVar[Mapping[str, float]] = {"shoulder_n_m": SHOULDER_N_M, "elbow_n_m": ELBOW_N_M}
    environment_state_names: ClassVar[tuple[str, ...]] = (
        "shoulder.cos", "shoulder.sin", "shoulder.speed", "elbow.cos", "elbow.sin", "elbow.speed",
        "fingertip.x", "fingertip.y", "goal.x", "goal.y",
    )  # fmt: skip

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw an arm at rest, and a goal in the ring that every arm reaches, at least 10 cm from its tip."""
        solved = 0
        while True:
            shoulder_rad, elbow_rad = generator.uniform(-np.pi, np.pi), generator.uniform(-2.4, 2.4)
            radius_m, angle_rad = generator.uniform(0.12, 0.33), generator.uniform(-np.pi, np.pi)
            goal_m = radius_m * np.array([np.cos(angle_rad), np.sin(angle_rad), 0.0])
            if np.linalg.norm(_tip(shoulder_rad, elbow_rad) - goal_m[:2]) > 0.1:
                return {"joints_rad": (shoulder_rad, elbow_rad), "goal_m": goal_m, "num_solved_draws": solved}
            solved += 1

    def place(self, world: World, layout: Layout) -> None:
        """Set masses, length and damping; pose the arm, lay the disc on the table."""
        physics = world.physics
        for link in ("upper_arm", "forearm"):
            world.set_link_mass(link, physics[f"{link}.mass_kg"])
            world.set_link(link, jointDamping=physics["joints.damping_n_m_s_per_rad"])
        world.hold("telescope", physics["forearm.length_m"])
        world.set_joint_state((*layout["joints_rad"], physics["forearm.length_m"]))
        world.attach("goal", layout["goal_m"] + np.array([0.0, 0.0, 0.004]))

    def place_solved(self, world: World, layout: Layout) -> None:
        """Put the tip over the disc."""
        forearm_m = world.physics["forearm.length_m"]
        x_m, y_m, _ = layout["goal_m"]
        _, elbow_rad = layout["joints_rad"]
        world.set_joint_state((*_inverse(x_m, y_m, forearm_m, side=np.sign(elbow_rad)), forearm_m))

    def actuate(self, world: World, action: Float[np.ndarray, "2"]) -> None:
        """Turn shoulder and elbow with up to 0.5 and 0.25 N m."""
        torques_n_m = MAX_TORQUES_N_M * world.physics["motor.strength"] * action
        for joint, torque_n_m in zip(self.action_names, torques_n_m, strict=True):
            world.apply_torque(joint, float(torque_n_m))

    def proprio(self, world: World) -> Float[np.ndarray, "6"]:
        """Return cosine, sine and speed [rad/s] of shoulder and elbow; disc and length are for the eyes."""
        (shoulder, elbow, _), (shoulder_rad_s, elbow_rad_s, _) = world.joint_state()
        return np.array([np.cos(shoulder), np.sin(shoulder), shoulder_rad_s, np.cos(elbow), np.sin(elbow), elbow_rad_s])

    def environment_state(self, world: World) -> Float[np.ndarray, "10"]:
        """Return the joints as proprio does, then fingertip and disc [m]."""
        return np.concatenate([self.proprio(world), self.achieved_goal(world)[:2], self.desired_goal(world)[:2]])

    def achieved_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return where the fingertip is, seen from above."""
        return world.link_position("fingertip") * (1.0, 1.0, 0.0)

    def desired_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return the disc's centre."""
        return world.attachment("goal") * (1.0, 1.0, 0.0)

    def expert(self, state: State) -> Sequence[float]:
        """Turn both joints like damped springs to where the tip is on the disc, with the elbow on its present side."""
        shoulder_rad, elbow_rad = (np.arctan2(state[f"{name}.sin"], state[f"{name}.cos"]) for name in self.action_names)
        tip_m = np.array([state["fingertip.x"], state["fingertip.y"]])
        forearm_m = float(np.linalg.norm(tip_m - UPPER_M * np.array([state["shoulder.cos"], state["shoulder.sin"]])))
        wished_rad = _inverse(state["goal.x"], state["goal.y"], forearm_m, side=np.sign(elbow_rad))
        gap_rad = np.array([_wrap(wished_rad[0] - shoulder_rad), wished_rad[1] - elbow_rad])
        torques = STIFFNESS * gap_rad - DAMPING * np.array([state["shoulder.speed"], state["elbow.speed"]])
        return list(torques / MAX_TORQUES_N_M)


def _inverse(x_m: float, y_m: float, forearm_m: float, *, side: float) -> tuple[float, float]:
    """Return the joints [rad] that bring the tip there, by the law of cosines."""
    cosine = (x_m**2 + y_m**2 - UPPER_M**2 - forearm_m**2) / (2 * UPPER_M * forearm_m)
    elbow_rad = side * np.arccos(np.clip(cosine, -1.0, 1.0))
    aside_rad = np.arctan2(forearm_m * np.sin(elbow_rad), UPPER_M + forearm_m * np.cos(elbow_rad))
    return float(np.arctan2(y_m, x_m) - aside_rad), float(elbow_rad)


def _wrap(angle_rad: float) -> float:
    """Return the angle in [-pi, pi]: the shorter way round."""
    return float(np.arctan2(np.sin(angle_rad), np.cos(angle_rad)))


def _tip(shoulder_rad: float, elbow_rad: float) -> Float[np.ndarray, "2"]:
    both_rad = shoulder_rad + elbow_rad
    return UPPER_M * np.array([np.cos(shoulder_rad), np.sin(shoulder_rad)]) + FOREARM_M * np.array(
        [np.cos(both_rad), np.sin(both_rad)]
    )
