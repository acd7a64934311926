"""A PyBullet world whose joints are driven by torque or speed, unlike an arm's by position.

What is only drawn has no body in the engine: it is placed by arithmetic, on a link of the robot or in the world.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError
from robossl_envs.quiet_pybullet import pybullet as p
from robossl_envs.simulation.bullet_scene import load_scene
from robossl_envs.simulation.scene import SceneSpec
from robossl_envs.simulation.simulation import SUBSTEPS, TIMESTEP_S, Pose

UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])


class World:
    """One world in a Bullet client of its own, stepped in control steps of 1/20 s.

    A body that collides is the engine's. One that does not is drawn where it belongs: on the link of its own name, its
    position and quaternion given in that link's frame, or else in the world, until `attach` puts it elsewhere. Like an
    arm's, the visual state is the joints, then position and quaternion of each body.

    Args:
        scene: Robot and bodies.
        links: Body name to the link that carries it, where the two names differ.
    """

    def __init__(self, scene: SceneSpec, *, links: Mapping[str, str]) -> None:
        self._client: int | None = p.connect(p.DIRECT)
        self.scene = scene
        self.physics: dict[str, float] = {}
        p.setPhysicsEngineParameter(
            fixedTimeStep=TIMESTEP_S, deterministicOverlappingPairs=1, physicsClientId=self.client
        )
        p.setGravity(0.0, 0.0, -9.81, physicsClientId=self.client)
        solid = tuple(body for body in scene.bodies if body.collides)
        self._loaded = load_scene(replace(scene, bodies=solid), self.client)
        self._joints = dict(zip(scene.robot.joints, self._loaded.joints, strict=True))
        self._drawn: dict[str, tuple[str | None, Pose]] = {
            body.name: (links.get(body.name), (np.array(body.position_m), np.array(body.quaternion)))
            for body in scene.bodies
            if not body.collides
        }
        self._inertias = {name: self._inertia(link) for name, link in self._loaded.links.items()}
        self._free_joints()
        self.step(lambda: None)  # Bullet's very first contact differs from all later ones: not left to an episode
        self._initial = p.saveState(physicsClientId=self.client)

    @property
    def client(self) -> int:
        """Bullet's number of this world."""
        if self._client is None:
            raise EnvError("this env is closed: make it again")
        return self._client

    def reset(self, physics: Mapping[str, float]) -> None:
        """Go back to how the world was built, and keep the episode's physical values for the task to use."""
        self.physics = dict(physics)
        p.restoreState(self._initial, physicsClientId=self.client)
        p.performCollisionDetection(physicsClientId=self.client)  # forgets the last episode's contacts
        self._free_joints()  # Bullet does not restore motors

    def step(self, actuate: Callable[[], None], num_substeps: int = SUBSTEPS) -> None:
        """Advance by so many physics steps; `actuate` drives the joints in each of them."""
        for _ in range(num_substeps):
            actuate()
            p.stepSimulation(physicsClientId=self.client)

    def joint_state(self) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
        """Return positions [rad, m] and speeds [rad/s, m/s] of the joints in the scene's order."""
        states = p.getJointStates(self._loaded.robot, self._loaded.joints, physicsClientId=self.client)
        return np.array([state[0] for state in states]), np.array([state[1] for state in states])

    def set_joint_state(self, positions: Sequence[float], speeds: Sequence[float] | None = None) -> None:
        """Put the joints there; speeds None: at rest."""
        moving = [0.0] * len(positions) if speeds is None else speeds
        for joint, position, speed in zip(self._loaded.joints, positions, moving, strict=True):
            p.resetJointState(self._loaded.robot, joint, position, speed, physicsClientId=self.client)

    def apply_torque(self, joint: str, torque: float) -> None:
        """Drive a joint with a torque [N m] or force [N] for one physics step."""
        self._drive(joint, p.TORQUE_CONTROL, force=torque)

    def drive_at_speed(self, joint: str, speed: float, *, max_force: float) -> None:
        """Drive a joint at a speed [rad/s, m/s] with at most this torque [N m] or force [N]."""
        self._drive(joint, p.VELOCITY_CONTROL, targetVelocity=speed, force=max_force)

    def hold(self, joint: str, position: float, *, gain: float = 0.5, max_force: float = 1000.0) -> None:
        """Keep a joint at a position [rad, m]; each physics step removes the part `gain` of the error."""
        self._drive(
            joint, p.POSITION_CONTROL, targetPosition=position, force=max_force, positionGain=gain, velocityGain=1.0
        )

    def body_pose(self, name: str) -> Pose:
        """Return the pose of a body, drawn or solid."""
        if name not in self._drawn:
            solid = self._loaded.bodies[name]
            position, quaternion = p.getBasePositionAndOrientation(solid, physicsClientId=self.client)
            return np.array(position), np.array(quaternion)
        link, offset = self._drawn[name]
        if link is None:
            return offset
        position, quaternion = p.multiplyTransforms(*self._link_frame(link), *offset)
        return np.array(position), np.array(quaternion)

    def link_position(self, link: str, offset_m: Sequence[float] = (0.0, 0.0, 0.0)) -> Float[np.ndarray, "3"]:
        """Return where a point of a link is in the world [m]."""
        return np.array(p.multiplyTransforms(*self._link_frame(link), offset_m, UPRIGHT)[0])

    def in_link(self, link: str, position_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """Return a point of the world in a link's frame [m]."""
        inverse = p.invertTransform(*self._link_frame(link))
        return np.array(p.multiplyTransforms(*inverse, position_m, UPRIGHT)[0])

    def attachment(self, name: str) -> Float[np.ndarray, "3"]:
        """Return where a drawn body sits on what carries it [m]."""
        return self._drawn[name][1][0]

    def attach(self, name: str, position_m: Float[np.ndarray, "3"], *, link: str | None = None) -> None:
        """Put a drawn body upright on a link, or into the world."""
        self._drawn[name] = (link, (np.array(position_m), UPRIGHT))

    def set_body_pose(self, name: str, position_m: Float[np.ndarray, "3"]) -> None:
        """Put a solid body there, upright and at rest."""
        body = self._loaded.bodies[name]
        p.resetBasePositionAndOrientation(body, position_m, UPRIGHT, physicsClientId=self.client)
        p.resetBaseVelocity(body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), physicsClientId=self.client)

    def body_speed(self, name: str) -> Float[np.ndarray, "3"]:
        """Return the linear speed of a solid body [m/s]."""
        return np.array(p.getBaseVelocity(self._loaded.bodies[name], physicsClientId=self.client)[0])

    def set_link_mass(self, link: str, mass_kg: float) -> None:
        """Give a link another mass and, in proportion, another inertia: Bullet would leave that as it was."""
        nominal_kg, inertia = self._inertias[link]
        p.changeDynamics(
            self._loaded.robot,
            self._loaded.links[link],
            mass=mass_kg,
            localInertiaDiagonal=[mass_kg / nominal_kg * moment for moment in inertia],
            physicsClientId=self.client,
        )

    def set_link(self, link: str, **values: float) -> None:
        """Change what `changeDynamics` names of a link, such as `jointDamping` or `lateralFriction`."""
        p.changeDynamics(self._loaded.robot, self._loaded.links[link], physicsClientId=self.client, **values)

    def set_body(self, name: str, **values: float) -> None:
        """Change what `changeDynamics` names of a solid body, such as `mass` or `lateralFriction`."""
        p.changeDynamics(self._loaded.bodies[name], -1, physicsClientId=self.client, **values)

    def visual_state(self) -> Float[np.ndarray, " X"]:
        """Return the joint positions, then position and quaternion of each body."""
        poses = [np.concatenate(self.body_pose(body.name)) for body in self.scene.bodies]
        return np.concatenate([self.joint_state()[0], *poses])

    def close(self) -> None:
        """Free the engine; a second call does nothing."""
        if self._client is not None:
            with contextlib.suppress(p.error):
                p.disconnect(physicsClientId=self._client)
        self._client = None

    def _drive(self, joint: str, mode: int, **values: Any) -> None:
        p.setJointMotorControl2(self._loaded.robot, self._joints[joint], mode, physicsClientId=self.client, **values)

    def _free_joints(self) -> None:
        """Take away the brakes that Bullet puts on every joint, and its drag."""
        for joint in self._joints:
            self._drive(joint, p.VELOCITY_CONTROL, targetVelocity=0.0, force=0.0)
        for link in self._loaded.links:
            self.set_link(link, linearDamping=0.0, angularDamping=0.0)

    def _inertia(self, link: int) -> tuple[float, tuple[float, float, float]]:
        row = p.getDynamicsInfo(self._loaded.robot, link, physicsClientId=self.client)
        return row[0], row[2]

    def _link_frame(self, link: str) -> Pose:
        state = p.getLinkState(
            self._loaded.robot, self._loaded.links[link], computeForwardKinematics=True, physicsClientId=self.client
        )
        return state[4], state[5]
