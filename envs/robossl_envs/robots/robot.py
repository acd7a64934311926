"""An arm that is commanded by steps of its end effector."""

import numpy as np
from jaxtyping import Float, Float32

from robossl_envs.robots.kinematics import SerialChain
from robossl_envs.simulation.scene import RobotSpec
from robossl_envs.simulation.simulation import Simulation

POINTING_DOWN = np.diag([1.0, -1.0, -1.0])
"""Rotation of an end effector whose z axis points to the table."""


class Robot:
    """Turns actions into joint targets; the hand keeps pointing down, the gripper stays as it is at home.

    An action is the step of the end effector along x, y, z; 1 is `max_step_m` in one control step (1/20 s).
    """

    action_size = 3
    max_step_m = 0.03

    def __init__(
        self,
        spec: RobotSpec,
        *,
        workspace_low_m: tuple[float, float, float] = (0.22, -0.34, 0.02),
        workspace_high_m: tuple[float, float, float] = (0.74, 0.34, 0.4),
    ) -> None:
        self.spec = spec
        self.workspace_low_m = np.array(workspace_low_m)
        self.workspace_high_m = np.array(workspace_high_m)
        self._chain = SerialChain(spec.urdf, spec.end_effector)
        self._home_rad = np.array(spec.home_rad)
        self._num_arm_joints = len(self._chain.lower_rad)

    def end_effector_position(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return the position [m] of the end effector, world frame."""
        return simulation.body_pose(self.spec.end_effector)[0]

    def proprio(self, simulation: Simulation) -> Float32[np.ndarray, "4"]:
        """Return the end effector's position [m] and the gripper's opening [m]."""
        fingers_m = simulation.joint_state()[0][self._num_arm_joints :]
        position = self.end_effector_position(simulation)
        return np.array([*position, fingers_m.sum()], dtype=np.float32)

    def reset(self, simulation: Simulation, position_m: Float[np.ndarray, "3"]) -> None:
        """Put the end effector at a position [m], at rest."""
        simulation.set_joint_state(self._solve(position_m, self._home_rad, steps=25))

    def command(self, simulation: Simulation, action: Float[np.ndarray, "3"]) -> None:
        """Set the joint targets for one control step; actions outside [-1, 1] are clipped."""
        step_m = np.clip(action, -1.0, 1.0) * self.max_step_m
        target_m = self.end_effector_position(simulation) + step_m
        target_m = np.clip(target_m, self.workspace_low_m, self.workspace_high_m)
        simulation.set_joint_targets(self._solve(target_m, simulation.joint_state()[0], steps=3))

    def _solve(
        self, position_m: Float[np.ndarray, "3"], joints_rad: Float[np.ndarray, " J"], *, steps: int
    ) -> Float[np.ndarray, " J"]:
        arm = slice(self._num_arm_joints)
        solution = self._chain.inverse(
            position_m - np.array(self.spec.base_position_m),
            POINTING_DOWN,
            start_rad=joints_rad[arm],
            rest_rad=self._home_rad[arm],
            steps=steps,
        )
        return np.concatenate([solution, self._home_rad[self._num_arm_joints :]])
