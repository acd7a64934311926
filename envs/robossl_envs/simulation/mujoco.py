"""MuJoCo behind the `Simulation` contract: another engine with contacts of its own, for the held-out domain."""

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError, unknown
from robossl_envs.simulation.articulation import part_pose, part_poses
from robossl_envs.simulation.mujoco_model import (
    POSITION_GAIN,
    RESPONSE_S,
    SUBSTEPS,
    TIMESTEP_S,
    build_spec,
    is_free,
    joint_addresses,
    place_body,
    place_mocap,
    pose_scene,
)
from robossl_envs.simulation.scene import Dynamics, SceneSpec
from robossl_envs.simulation.simulation import Pose


@dataclass(frozen=True)
class Snapshot:
    """Everything that the future of a world depends on."""

    state: Float[np.ndarray, " N"]
    dynamics: Dynamics


class MujocoSimulation:
    """One MuJoCo world."""

    def __init__(self) -> None:
        self._world: tuple[mujoco.MjModel, mujoco.MjData] | None = None

    @property
    def _model(self) -> mujoco.MjModel:
        return self._opened()[0]

    @property
    def _data(self) -> mujoco.MjData:
        return self._opened()[1]

    def _opened(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        if self._world is None:
            raise EnvError("this simulation is closed or was never loaded: make the env again")
        return self._world

    def load(self, scene: SceneSpec) -> None:
        """Build the world. Called once."""
        model = build_spec(scene).compile()
        self._world = (model, mujoco.MjData(model))
        self._substeps = round(SUBSTEPS * TIMESTEP_S / model.opt.timestep)
        self._scene = scene
        self._specs = {body.name: body for body in scene.bodies}
        self._articulated = {item.name: item for item in scene.articulated}
        self._part_of = {part.name: (item, i) for item in scene.articulated for i, part in enumerate(item.parts)}
        self._qpos = joint_addresses(scene, model)
        self._qvel = [int(model.joint(name).dofadr[0]) for name in scene.robot.joints]
        self._motors = [i for i, force in enumerate(scene.robot.max_forces) if force > 0]
        self._actuators = [model.actuator(scene.robot.joints[i]).id for i in self._motors]
        self._inertia = model.body_inertia.copy()
        self._contact_time_s, self._spin_friction = model.geom_solref[:, 0].copy(), model.geom_friction[:, 1].copy()
        self.set_dynamics(Dynamics())
        self.set_joint_state(np.array(scene.robot.home_rad))

    def step(self, num_substeps: int = SUBSTEPS) -> None:
        """Advance by so many physics steps, or twice as many of half the length where something is grasped."""
        mujoco.mj_step(self._model, self._data, nstep=num_substeps * self._substeps // SUBSTEPS)
        self._data.xfrc_applied[:] = 0.0
        self._refresh()

    def _refresh(self) -> None:
        """Bring poses and contacts up to the joint positions: MuJoCo leaves them one physics step behind."""
        mujoco.mj_fwdPosition(self._model, self._data)
        mujoco.mj_fwdVelocity(self._model, self._data)

    def _body_id(self, name: str) -> int:
        index = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_BODY, name)
        if index < 0:
            raise unknown("body or link", name, [self._model.body(i).name for i in range(1, self._model.nbody)])
        return int(index)

    def body_pose(self, name: str) -> Pose:
        """Return the pose of a body, a part, an articulated body's frame or a robot link."""
        if name in self._part_of:
            item, number = self._part_of[name]
            return part_pose(item, self.body_pose(item.name), self.opening(item.name), number)
        index = self._body_id(name)
        w, x, y, z = self._data.xquat[index]
        return self._data.xpos[index].copy(), np.array([x, y, z, w])

    def set_body_pose(
        self, name: str, position_m: Float[np.ndarray, "3"], quaternion: Float[np.ndarray, "4"] | None = None
    ) -> None:
        """Place a body or an articulated body, at rest; quaternion None: upright."""
        facing = np.array([0.0, 0.0, 0.0, 1.0]) if quaternion is None else quaternion
        if name in self._articulated:
            place_mocap(name, position_m, facing, self._model, self._data)
        elif name in self._specs:
            place_body(self._specs[name], position_m, facing, self._model, self._data)
        else:
            raise unknown("body", name, [*self._specs, *self._articulated])
        self._refresh()

    def opening(self, name: str) -> float:
        """Return the joint position [m or rad] of an articulated body."""
        return float(self._data.joint(name).qpos[0])

    def set_opening(self, name: str, position: float) -> None:
        """Put the joint of an articulated body there, at rest."""
        self._data.joint(name).qpos[:], self._data.joint(name).qvel[:] = position, 0.0
        self._refresh()

    def body_velocity(self, name: str) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Return linear [m/s] and angular [rad/s] velocity of a body, world frame."""
        velocity = np.zeros(6)
        kind = mujoco.mjtObj.mjOBJ_BODY
        mujoco.mj_objectVelocity(self._model, self._data, kind, self._body_id(name), velocity, 0)
        return velocity[3:], velocity[:3]

    def joint_state(self) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
        """Return positions [rad, fingers m] and velocities of the robot's joints."""
        return self._data.qpos[self._qpos].copy(), self._data.qvel[self._qvel].copy()

    def set_joint_state(self, positions: Float[np.ndarray, " J"]) -> None:
        """Put the joints there, at rest, and make it their target."""
        self._data.qpos[self._qpos] = positions
        self._data.qvel[self._qvel] = 0.0
        self.set_joint_targets(positions)
        self._refresh()

    def set_joint_targets(self, positions: Float[np.ndarray, " J"]) -> None:
        """Give the position controllers their targets."""
        self._data.ctrl[self._actuators] = np.asarray(positions)[self._motors]

    def contacts(self, first: str, second: str) -> bool:
        """Tell whether two bodies (or `robot`) touch."""
        wanted = {self._part(self._body_id(name) if name != "robot" else 0) for name in (first, second)}
        touching = self._model.geom_bodyid[self._data.contact.geom[: self._data.ncon]]
        return any({self._part(body) for body in pair} == wanted for pair in touching)

    def _part(self, body: int) -> str:
        """Return the name of a scene's body; every other one is a link of the robot."""
        name: str = self._model.body(body).name.removesuffix("/moving")
        return name if name in self._specs or name in self._articulated else "robot"

    def apply_force(self, name: str, force_n: Float[np.ndarray, "3"]) -> None:
        """Push a body at its centre of mass during the next control step."""
        self._data.xfrc_applied[self._body_id(name), :3] = force_n

    def set_dynamics(self, dynamics: Dynamics) -> None:
        """Change masses, frictions, gains and contacts; the rest goes back to the scene's values."""
        model = self._model
        model.geom_solref[:, 0] = self._contact_time_s * dynamics.contact_time
        model.geom_friction[:, 1] = self._spin_friction * dynamics.spin_friction
        for name, spec in self._specs.items():
            if is_free(spec):
                index = self._body_id(name)
                mass_kg = dynamics.masses_kg.get(name, spec.mass_kg)
                model.body_mass[index] = mass_kg
                model.body_inertia[index] = self._inertia[index] * mass_kg / spec.mass_kg
            model.geom_friction[model.geom(name).id, 0] = dynamics.frictions.get(name, spec.friction)
        stiffness = POSITION_GAIN * dynamics.motor_gain * np.array(self._scene.robot.max_forces)[self._motors]
        model.actuator_gainprm[self._actuators, 0] = stiffness
        model.actuator_biasprm[self._actuators, 1] = -stiffness
        model.actuator_biasprm[self._actuators, 2] = -stiffness * RESPONSE_S
        mujoco.mj_setConst(model, mujoco.MjData(model))  # masses enter derived constants; data of its own, to keep ours
        self._dynamics = dynamics
        self._refresh()

    def save(self) -> Snapshot:
        """Return a snapshot of the whole physical state, motor targets and dynamics included."""
        state = np.zeros(mujoco.mj_stateSize(self._model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(self._model, self._data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
        return Snapshot(state, self._dynamics)

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot of this world."""
        if not isinstance(snapshot, Snapshot):
            raise EnvError("restore takes what save() of the same simulation returned")
        if snapshot.dynamics != self._dynamics:
            self.set_dynamics(snapshot.dynamics)
        mujoco.mj_setState(self._model, self._data, snapshot.state, mujoco.mjtState.mjSTATE_INTEGRATION)
        self._refresh()

    def visual_state(self) -> Float[np.ndarray, " X"]:
        """Return the joint positions, then position and quaternion of each body."""
        poses = [self.body_pose(body.name) for body in self._scene.bodies]
        for name, item in self._articulated.items():
            poses += part_poses(item, self.body_pose(name), self.opening(name))
        return np.concatenate([self.joint_state()[0], *(numbers for pose in poses for numbers in pose)])

    def set_visual_state(self, visual_state: Float[np.ndarray, " X"]) -> None:
        """Pose everything as it was; velocities become zero and the motors hold."""
        pose_scene(visual_state, self._scene, self._model, self._data)
        self.set_joint_targets(np.asarray(visual_state, dtype=float)[: len(self._qpos)])
        self._refresh()

    def close(self) -> None:
        """Free the world; a second call does nothing."""
        self._world = None
