"""An arm that is commanded by steps of its end effector."""

import numpy as np
from jaxtyping import Float, Float32

from robossl_envs.robots.kinematics import SerialChain
from robossl_envs.simulation.scene import RobotSpec
from robossl_envs.simulation.simulation import Simulation

POINTING_DOWN = np.diag([1.0, -1.0, -1.0])
"""Rotation of an end effector whose z axis points to the table."""


GRIPPER_RATE = 0.3
"""Part of its whole way that the gripper goes in one control step."""


class Robot:
    """Turns actions into joint targets; the hand keeps pointing down.

    An action is the step of the end effector along x, y, z; 1 is `max_step_m` in one control step (1/20 s). Where a
    task uses the gripper, a fourth number says how far its fingers shall be apart, from -1, closed, to 1, open: a
    place and not a rate, so that the same state always wants the same number. Else the gripper
    stays as it is at home, or as `resting_grip` says in the same unit.
    """

    max_step_m = 0.03

    def __init__(
        self,
        spec: RobotSpec,
        *,
        uses_gripper: bool = False,
        resting_grip: float | None = None,
        workspace_low_m: tuple[float, float, float] = (0.22, -0.34, 0.02),
        workspace_high_m: tuple[float, float, float] = (0.74, 0.34, 0.4),
    ) -> None:
        self.spec = spec
        self.uses_gripper = uses_gripper
        self._resting_grip = resting_grip
        self.action_names = ("x", "y", "z", *(("gripper",) if uses_gripper else ()))
        self.workspace_low_m = np.array(workspace_low_m)
        self.workspace_high_m = np.array(workspace_high_m)
        gripper = {"gripper": 1.0} if uses_gripper else {}
        self.action_scale = {f"{axis}_m": self.max_step_m for axis in "xyz"} | gripper
        """What 1 means in each number of an action: metres in one control step, and a gripper that is open."""
        self._chain = SerialChain(spec.urdf, spec.end_effector)
        self._home_rad = np.array(spec.home_rad)
        self._num_arm_joints = len(self._chain.lower_rad)
        self.table_height_m = 0.0
        """By which the workspace is raised."""

    def end_effector_position(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return the position [m] of the end effector, world frame."""
        return simulation.body_pose(self.spec.end_effector)[0]

    def proprio(self, simulation: Simulation) -> Float32[np.ndarray, "4"]:
        """Return the end effector's position [m] and the gripper's opening [m]."""
        position = self.end_effector_position(simulation)
        return np.array([*position, self.opening_m(simulation)], dtype=np.float32)

    def opening_m(self, simulation: Simulation) -> float:
        """Return how far the fingers are apart [m]."""
        fingers = simulation.joint_state()[0][self._num_arm_joints :]
        return float(self.spec.finger_offset_m + np.dot(self.spec.finger_weights_m, fingers))

    def reset(self, simulation: Simulation, position_m: Float[np.ndarray, "3"]) -> None:
        """Put the end effector at a position [m], at rest."""
        simulation.set_joint_state(self.joints_at(position_m))

    def joints_at(self, position_m: Float[np.ndarray, "3"], *, grip: float = 1.0) -> Float[np.ndarray, " J"]:
        """Return joint positions with the end effector at a position [m] and the gripper as an action says."""
        return self._solve(position_m, self._home_rad, self._fingers(grip), steps=25)

    def command(self, simulation: Simulation, action: Float[np.ndarray, " A"]) -> None:
        """Set the joint targets for one control step; actions outside [-1, 1] are clipped."""
        action = np.minimum(np.maximum(action, -1.0), 1.0)  # np.clip costs five times as much on so few numbers
        target_m = self.end_effector_position(simulation) + action[:3] * self.max_step_m
        up_m = np.array([0.0, 0.0, self.table_height_m])
        target_m = np.minimum(np.maximum(target_m, self.workspace_low_m + up_m), self.workspace_high_m + up_m)
        joints = simulation.joint_state()[0]
        fingers = self._fingers(action[-1])
        if self.uses_gripper:
            fingers = self._within_reach(fingers, joints[self._num_arm_joints :])
        simulation.set_joint_targets(self._solve(target_m, joints, fingers, steps=3))

    def _within_reach(
        self, wanted: Float[np.ndarray, " G"], present: Float[np.ndarray, " G"]
    ) -> Float[np.ndarray, " G"]:
        """Return where the fingers can go in one step: faster ones would hit what they are to hold."""
        most = np.abs(np.subtract(self.spec.gripper_open, self.spec.gripper_closed)) * GRIPPER_RATE
        return np.clip(wanted, present - most, present + most)

    def _fingers(self, grip: float) -> Float[np.ndarray, " G"]:
        if not self.uses_gripper and self._resting_grip is not None:
            grip = self._resting_grip
        elif not self.uses_gripper:
            return self._home_rad[self._num_arm_joints :]
        closed, apart = np.array(self.spec.gripper_closed), np.array(self.spec.gripper_open)
        return closed + (apart - closed) * (1 + grip) / 2

    def _solve(
        self,
        position_m: Float[np.ndarray, "3"],
        joints_rad: Float[np.ndarray, " J"],
        fingers: Float[np.ndarray, " G"],
        *,
        steps: int,
    ) -> Float[np.ndarray, " J"]:
        arm = slice(self._num_arm_joints)
        solution = self._chain.inverse(
            position_m - np.array(self.spec.base_position_m),
            POINTING_DOWN,
            start_rad=joints_rad[arm],
            rest_rad=self._home_rad[arm],
            steps=steps,
        )
        return np.concatenate([solution, fingers])
