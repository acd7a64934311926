"""PyBullet behind the `Simulation` contract."""

import contextlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError
from robossl_envs.quiet_pybullet import pybullet as p
from robossl_envs.simulation.articulation import base_and_joint, part_pose, part_poses
from robossl_envs.simulation.bullet_joint import BulletJoint
from robossl_envs.simulation.bullet_scene import load_scene, pose_scene
from robossl_envs.simulation.scene import Dynamics, SceneSpec
from robossl_envs.simulation.simulation import SUBSTEPS, TIMESTEP_S, Pose

POSITION_GAIN = 0.3
"""Fraction of the position error that a motor removes in one physics step."""
BODY_DAMPING = float(np.float32(0.04))
"""Part of its speed that a free body loses in a second: Bullet's own, to the last digit."""
GEAR_FORCE = 50.0
"""Most that ties a joint to the one that it follows [N m]."""


class BulletSimulation:
    """One PyBullet world in a client of its own."""

    def __init__(self) -> None:
        self._client: int | None = None
        self._force: dict[str, Float[np.ndarray, "3"]] = {}
        self._poses: dict[str, Pose] = {}
        self._joints: tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]] | None = None
        self._visual: Float[np.ndarray, " X"] | None = None

    @property
    def client(self) -> int:
        """Bullet's number of this world; every call names it, since a call without it goes to the first world."""
        if self._client is None:
            raise EnvError("this simulation is closed or was never loaded: make the env again")
        return self._client

    def _moved(self) -> None:
        """Forget what was read: a control step asks for the same poses many times over."""
        self._poses.clear()
        self._joints = self._visual = None

    def load(self, scene: SceneSpec) -> None:
        """Build the world. Called once."""
        self._client = p.connect(p.DIRECT)
        p.setPhysicsEngineParameter(
            fixedTimeStep=TIMESTEP_S, deterministicOverlappingPairs=1, physicsClientId=self.client
        )
        p.setGravity(0.0, 0.0, -9.81, physicsClientId=self.client)
        self._scene = scene
        self._loaded = load_scene(scene, self.client)
        self._specs = {body.name: body for body in scene.bodies}
        self._articulated = {item.name: BulletJoint(item, self.client) for item in scene.articulated}
        self._part_of = {part.name: (item, i) for item in scene.articulated for i, part in enumerate(item.parts)}
        self._motors = [i for i, force in enumerate(scene.robot.max_forces) if force > 0]
        self._follow(scene)
        self._roughen(scene)
        self._motor_gain = self._motor_damping = 1.0
        self.set_joint_state(np.array(scene.robot.home_rad))
        self.set_dynamics(Dynamics())

    def _follow(self, scene: SceneSpec) -> None:
        """Tie the joints without a motor to their leader, and take away the brake that Bullet gives every joint."""
        robot = scene.robot
        at = dict(zip(robot.joints, self._loaded.joints, strict=True))
        for name, force in zip(robot.joints, robot.max_forces, strict=True):
            if force == 0:
                number = self._loaded.robot
                p.setJointMotorControl2(number, at[name], p.VELOCITY_CONTROL, force=0.0, physicsClientId=self.client)
                if robot.leader:
                    self._gear(at[robot.leader], at[name])
        for name in robot.coupled[1:] if scene.grasps else ():
            self._gear(at[robot.coupled[0]], at[name])

    def _roughen(self, scene: SceneSpec) -> None:
        """Give the fingers the friction that they need to hold something."""
        friction = scene.robot.pad_friction
        for link, _, _ in scene.robot.pads if scene.grasps and friction is not None else ():
            number = self._loaded.links[link]
            p.changeDynamics(self._loaded.robot, number, lateralFriction=friction, physicsClientId=self.client)

    def _gear(self, leader: int, follower: int) -> None:
        robot, axis, origin = self._loaded.robot, (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)
        gear = p.createConstraint(
            robot, leader, robot, follower, p.JOINT_GEAR, axis, origin, origin, physicsClientId=self.client
        )
        p.changeConstraint(gear, gearRatio=-1.0, erp=0.8, maxForce=GEAR_FORCE, physicsClientId=self.client)

    def step(self, num_substeps: int = SUBSTEPS) -> None:
        """Advance by so many physics steps; the solver keeps PyBullet's own settings."""
        client = self.client
        for _ in range(num_substeps):
            for name, force_n in self._force.items():
                number, link = self._loaded.bodies.get(name, self._loaded.robot), self._loaded.links.get(name, -1)
                at, _ = self._read_pose(name)
                p.applyExternalForce(number, link, force_n, at, p.WORLD_FRAME, physicsClientId=client)
            p.stepSimulation(physicsClientId=client)
        self._force.clear()
        self._moved()

    def body_pose(self, name: str) -> Pose:
        """Return the pose of a body, a part, an articulated body's frame or a robot link; read-only."""
        if name not in self._poses:
            self._poses[name] = self._read_pose(name)
        return self._poses[name]

    def _read_pose(self, name: str) -> Pose:
        if name in self._articulated:
            return self._articulated[name].base
        if name in self._part_of:
            item, index = self._part_of[name]
            return part_pose(item, self._articulated[item.name].base, self.opening(item.name), index)
        if name in self._loaded.bodies:
            position, quaternion = p.getBasePositionAndOrientation(
                self._loaded.bodies[name], physicsClientId=self.client
            )
        else:
            link = self._loaded.links[name]
            state = p.getLinkState(self._loaded.robot, link, computeForwardKinematics=True, physicsClientId=self.client)
            position, quaternion = state[4], state[5]
        return _fixed(position), _fixed(quaternion)

    def set_body_pose(
        self, name: str, position_m: Float[np.ndarray, "3"], quaternion: Float[np.ndarray, "4"] | None = None
    ) -> None:
        """Place a body or an articulated body, at rest."""
        self._moved()
        facing = np.array((0.0, 0.0, 0.0, 1.0)) if quaternion is None else quaternion
        if name in self._articulated:
            joint = self._articulated[name]
            joint.place((np.array(position_m), facing))
            for part, pose in zip(joint.spec.fixed, part_poses(joint.spec, joint.base, 0.0), strict=False):
                number = self._loaded.bodies[part.name]
                p.resetBasePositionAndOrientation(number, *pose, physicsClientId=self.client)
            return
        body = self._loaded.bodies[name]
        p.resetBasePositionAndOrientation(body, position_m, facing, physicsClientId=self.client)
        p.resetBaseVelocity(body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), physicsClientId=self.client)

    def opening(self, name: str) -> float:
        """Return the joint position [m or rad] of an articulated body."""
        return self._articulated[name].position

    def set_opening(self, name: str, position: float) -> None:
        """Put the joint of an articulated body there, at rest."""
        self._moved()
        self._articulated[name].set_position(position)

    def body_velocity(self, name: str) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Return linear [m/s] and angular [rad/s] velocity of a body."""
        linear, angular = p.getBaseVelocity(self._loaded.bodies[name], physicsClientId=self.client)
        return np.array(linear), np.array(angular)

    def joint_state(self) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
        """Return positions and velocities of the robot's joints; read-only."""
        if self._joints is None:
            states = p.getJointStates(self._loaded.robot, self._loaded.joints, physicsClientId=self.client)
            self._joints = _fixed([state[0] for state in states]), _fixed([state[1] for state in states])
        return self._joints

    def set_joint_state(self, positions: Float[np.ndarray, " J"]) -> None:
        """Put the joints there, at rest, and make it their target."""
        self._moved()
        for joint, position in zip(self._loaded.joints, positions, strict=True):
            p.resetJointState(self._loaded.robot, joint, position, 0.0, physicsClientId=self.client)
        self.set_joint_targets(positions)

    def set_joint_targets(self, positions: Float[np.ndarray, " J"]) -> None:
        """Give the position controllers their targets."""
        self._targets = np.array(positions)
        gain = POSITION_GAIN * self._motor_gain
        p.setJointMotorControlArray(
            self._loaded.robot,
            [self._loaded.joints[i] for i in self._motors],
            p.POSITION_CONTROL,
            targetPositions=self._targets[self._motors],
            forces=[self._scene.robot.max_forces[i] for i in self._motors],
            positionGains=[gain] * len(self._motors),
            velocityGains=[self._motor_damping] * len(self._motors),
            physicsClientId=self.client,
        )

    def contacts(self, first: str, second: str) -> bool:
        """Tell whether two bodies (or `robot`) touch."""
        numbers = {**self._loaded.bodies, "robot": self._loaded.robot}
        return bool(p.getContactPoints(numbers[first], numbers[second], physicsClientId=self.client))

    def apply_force(self, name: str, force_n: Float[np.ndarray, "3"]) -> None:
        """Push a body at its centre of mass during the next control step."""
        self._force[name] = np.array(force_n)

    def set_dynamics(self, dynamics: Dynamics) -> None:
        """Change masses, frictions and gains; the rest goes back to the scene's values."""
        self._motor_gain, self._motor_damping = dynamics.motor_gain, dynamics.motor_damping
        p.setGravity(0.0, 0.0, -dynamics.gravity_m_s2, physicsClientId=self.client)
        for name, spec in self._specs.items():
            if spec.collides:
                moves = spec.mass_kg > 0
                p.changeDynamics(
                    self._loaded.bodies[name],
                    -1,
                    mass=dynamics.masses_kg.get(name, spec.mass_kg),
                    lateralFriction=dynamics.frictions.get(name, spec.friction),
                    # Bullet multiplies the two of a pair: what stands still leaves it to what hits it
                    restitution=dynamics.restitution if moves else float(dynamics.restitution > 0),
                    linearDamping=BODY_DAMPING * dynamics.damping,
                    angularDamping=BODY_DAMPING * dynamics.damping,
                    physicsClientId=self.client,
                )
        for joint in self._articulated.values():
            joint.set_damping(joint.spec.damping * dynamics.damping)

    def save(self) -> object:
        """Return a snapshot; Bullet forgets motor targets, so they are kept beside."""
        bases = {name: joint.base for name, joint in self._articulated.items()}
        return p.saveState(physicsClientId=self.client), self._targets, self._motor_gain, self._motor_damping, bases

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot of this world."""
        if not isinstance(snapshot, tuple):
            raise EnvError("restore takes what save() of the same simulation returned")
        number, targets, self._motor_gain, self._motor_damping, bases = snapshot
        p.restoreState(number, physicsClientId=self.client)
        for name, base in bases.items():
            self._articulated[name].base = base
        self._force.clear()
        self._moved()
        self.set_joint_targets(targets)

    def visual_state(self) -> Float[np.ndarray, " X"]:
        """Return the joint positions, then position and quaternion of each body; read-only."""
        if self._visual is None:
            poses = [self.body_pose(body.name) for body in self._scene.bodies]
            for joint in self._articulated.values():
                poses += part_poses(joint.spec, joint.base, joint.position)
            self._visual = np.concatenate([self.joint_state()[0], *(numbers for pose in poses for numbers in pose)])
            self._visual.flags.writeable = False
        return self._visual

    def set_visual_state(self, visual_state: Float[np.ndarray, " X"]) -> None:
        """Pose everything as it was; velocities become zero."""
        self._moved()
        pose_scene(visual_state, self._scene, self._loaded, self.client)
        poses = np.asarray(visual_state, dtype=float)[len(self._loaded.joints) + 7 * len(self._specs) :].reshape(-1, 7)
        for joint in self._articulated.values():
            base, position = base_and_joint(joint.spec, poses[: len(joint.spec.parts)])
            joint.place(base)
            joint.set_position(position)
            poses = poses[len(joint.spec.parts) :]
        self.set_joint_targets(np.asarray(visual_state, dtype=float)[: len(self._loaded.joints)])

    def close(self) -> None:
        """Free the world; a second call does nothing."""
        if self._client is not None:
            with contextlib.suppress(p.error):
                p.disconnect(physicsClientId=self._client)
        self._client = None


def _fixed(numbers: Sequence[float]) -> Float[np.ndarray, " N"]:
    """Return an array that nobody can write to, since it is handed out more than once."""
    array = np.array(numbers)
    array.flags.writeable = False
    return array
