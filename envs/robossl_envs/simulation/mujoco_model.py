"""A scene as a MuJoCo model, and how it is posed."""

from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError
from robossl_envs.simulation.articulation import base_and_joint, own_pose
from robossl_envs.simulation.scene import ArticulatedSpec, BodySpec, SceneSpec
from robossl_envs.simulation.simulation import Pose

TIMESTEP_S = 1 / 240
SUBSTEPS = 12
"""12 steps of 1/240 s are one control step at 20 Hz."""
POSITION_GAIN = 50.0
"""Stiffness of a motor as a multiple of the most that it can push [1/rad, fingers 1/m]: 3 cm take one control step."""
RESPONSE_S = 0.025
"""Damping over stiffness of a motor."""
GRASP_SOLREF = [0.0085, 1.0]
GRASP_SOLIMP = [0.97, 0.995, 0.0005, 0.5, 2.0]
GRASP_SOLMIX = 100.0
"""Fingers sink into softer bodies and squeeze them out."""
GRASP_SUBSTEPS = 2
"""Physics steps for one of 1/240 s where something is grasped: with long ones it creeps out of the fingers."""
JOINT_ARMATURE = 0.001
GEAR_INERTIA = 0.005
"""Of a joint that follows another, and of that one [kg m^2]."""
SPRING_STROKE = 0.05
"""A spring is pressed by this much where it rests [m or rad]."""
VISUAL_GROUP = 1
"""Group of the geoms that a URDF's `<visual>`s become; its `<collision>`s are in group 0."""


def build_spec(scene: SceneSpec) -> mujoco.MjSpec:
    """Return the uncompiled model of a scene: robot with motors, then the bodies in order."""
    spec = mujoco.MjSpec.from_string(_urdf_for_mujoco(scene.robot.urdf))
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    if scene.grasps:
        spec.option.timestep = TIMESTEP_S / GRASP_SUBSTEPS
        _add_pads(spec, scene)
        for name in scene.robot.coupled[1:]:
            _follow(spec, name, scene.robot.coupled[0], inertia=None)
    _prepare_robot(spec, scene)
    for body in scene.bodies:
        _add_body(spec, body)
    for item in scene.articulated:
        _add_articulated(spec, item)
    return spec


def _urdf_for_mujoco(urdf: Path) -> str:
    """Add what MuJoCo's importer needs; without `mimic`, which its versions treat differently."""
    robot = ElementTree.parse(urdf).getroot()
    settings = {"strippath": "false", "discardvisual": "false", "fusestatic": "false", "balanceinertia": "true"}
    ElementTree.SubElement(ElementTree.SubElement(robot, "mujoco"), "compiler", settings)
    for joint in robot.iter("joint"):
        for mimic in joint.findall("mimic"):
            joint.remove(mimic)
    return ElementTree.tostring(robot, encoding="unicode")


def _prepare_robot(spec: mujoco.MjSpec, scene: SceneSpec) -> None:
    """Let the robot float against gravity, touch everything but itself, and follow position targets."""
    for body in spec.bodies[1:]:
        body.gravcomp = 1.0
    spec.bodies[1].pos = np.array(spec.bodies[1].pos) + scene.robot.base_position_m
    for geom in spec.geoms:
        drawn_only = geom.group == VISUAL_GROUP
        geom.contype, geom.conaffinity = (0, 0) if drawn_only else (1, 2)
    for name, force in zip(scene.robot.joints, scene.robot.max_forces, strict=True):
        if force == 0:
            if scene.robot.leader:
                _follow(spec, name, scene.robot.leader, inertia=GEAR_INERTIA)
            continue
        motor = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.gaintype, motor.biastype = mujoco.mjtGain.mjGAIN_FIXED, mujoco.mjtBias.mjBIAS_AFFINE
        motor.forcelimited, motor.forcerange = True, [-force, force]


def _add_pads(spec: mujoco.MjSpec, scene: SceneSpec) -> None:
    """Put boxes on the fingers: a box touches a box in a face, a mesh only in two or three points, which flicker."""
    for link, position_m, size_m in scene.robot.pads:
        box = mujoco.mjtGeom.mjGEOM_BOX
        spec.body(link).add_geom(type=box, pos=position_m, size=size_m, mass=0.0, contype=1, conaffinity=2, condim=4)


def _follow(spec: mujoco.MjSpec, follower: str, leader: str, *, inertia: float | None) -> None:
    """Tie a joint to another. MuJoCo's ties give way where inertia is small, so both may get that of a gear."""
    for name in (follower, leader) if inertia is not None else ():
        spec.joint(name).armature = inertia
    tie = spec.add_equality(name=follower, type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
    tie.name1, tie.name2 = follower, leader
    tie.data[:5] = [0.0, 1.0, 0.0, 0.0, 0.0]  # follower = 0 + 1 * leader


def _add_body(spec: mujoco.MjSpec, body: BodySpec) -> None:
    """Add a free body, or one that stays where it is put (a `mocap` body, so that it can be put elsewhere)."""
    moves = is_free(body)
    added = spec.worldbody.add_body(name=body.name, pos=body.position_m, quat=_wxyz(body.quaternion), mocap=not moves)
    if moves:
        added.add_freejoint(name=body.name)
    _add_geom(added, body, mass_kg=body.mass_kg if moves else 0.0, moves=moves)


def _add_geom(to: mujoco.MjsBody, body: BodySpec, *, mass_kg: float, moves: bool, at: Pose | None = None) -> None:
    position_m, quaternion = at or (np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
    geom = to.add_geom(
        name=body.name,
        type=getattr(mujoco.mjtGeom, f"mjGEOM_{body.shape.upper()}"),
        size=body.size_m,
        pos=position_m,
        quat=_wxyz(quaternion),
        mass=mass_kg,
        friction=[body.friction, 0.005, 0.0001],
        condim=4,
        priority=int(moves),  # its own friction counts, not the larger of the two
        contype=2 if body.collides else 0,
        conaffinity=3 if body.collides else 0,
        rgba=[*body.rgb, 1.0],
        group=VISUAL_GROUP,
    )
    if body.grasped:
        geom.solref, geom.solimp = GRASP_SOLREF, GRASP_SOLIMP
        geom.priority, geom.solmix = 0, GRASP_SOLMIX  # the fingers' rubber counts where its friction is larger


def _add_articulated(spec: mujoco.MjSpec, item: ArticulatedSpec) -> None:
    """Add what stands still as a `mocap` body, and what moves as its child."""
    base = spec.worldbody.add_body(name=item.name, pos=item.position_m, mocap=True)
    for part in item.fixed:
        _add_geom(base, part, mass_kg=0.0, moves=False, at=own_pose(part))
    moving = base.add_body(name=f"{item.name}/moving")
    kind = mujoco.mjtJoint.mjJNT_SLIDE if item.joint == "slide" else mujoco.mjtJoint.mjJNT_HINGE
    joint = moving.add_joint(name=item.name, type=kind, axis=item.axis, pos=item.anchor_m)
    joint.limited, joint.range = True, item.limits
    joint.frictionloss, joint.armature = item.friction, JOINT_ARMATURE
    joint.damping = [item.damping, 0.0, 0.0] if np.ndim(joint.damping) else item.damping
    if item.spring > 0:
        stiffness = item.spring / SPRING_STROKE
        joint.springref = -SPRING_STROKE  # so that the force is nearly the same over a short way
        joint.stiffness = [stiffness, 0.0, 0.0] if np.ndim(joint.stiffness) else stiffness
    for part in item.moving:
        _add_geom(moving, part, mass_kg=item.mass_kg / len(item.moving), moves=True, at=own_pose(part))


def is_free(body: BodySpec) -> bool:
    """Tell whether a body moves by itself."""
    return body.collides and body.mass_kg > 0.0


def pose_scene(
    visual_state: Float[np.ndarray, " X"], scene: SceneSpec, model: mujoco.MjModel, data: mujoco.MjData
) -> None:
    """Put a compiled scene into a visual state, at rest. The caller runs the kinematics."""
    num_joints = len(scene.robot.joints)
    expected = num_joints + 7 * len(scene.drawn)
    if len(visual_state) != expected:
        raise EnvError(f"a visual state of this scene has {expected} numbers, not {len(visual_state)}")
    state = np.asarray(visual_state, dtype=float)
    data.qpos[joint_addresses(scene, model)] = state[:num_joints]
    data.qvel[:] = 0.0
    poses = state[num_joints:].reshape(-1, 7)
    for body, pose in zip(scene.bodies, poses, strict=False):
        place_body(body, pose[:3], pose[3:], model, data)
    poses = poses[len(scene.bodies) :]
    for item in scene.articulated:
        base, joint = base_and_joint(item, poses[: len(item.parts)])
        place_mocap(item.name, *base, model, data)
        data.joint(item.name).qpos[:] = joint
        poses = poses[len(item.parts) :]


def joint_addresses(scene: SceneSpec, model: mujoco.MjModel) -> list[int]:
    """Return where in `qpos` the robot's joints are, in the order of its specification."""
    return [int(model.joint(name).qposadr[0]) for name in scene.robot.joints]


def place_body(
    body: BodySpec,
    position_m: Float[np.ndarray, "3"],
    quaternion: Float[np.ndarray, "4"],
    model: mujoco.MjModel,
    data: mujoco.MjData,
) -> None:
    """Place a body, at rest."""
    if is_free(body):
        data.joint(body.name).qpos[:] = [*position_m, *_wxyz(quaternion)]
        data.joint(body.name).qvel[:] = 0.0
    else:
        place_mocap(body.name, position_m, quaternion, model, data)


def place_mocap(
    name: str,
    position_m: Float[np.ndarray, "3"],
    quaternion: Float[np.ndarray, "4"],
    model: mujoco.MjModel,
    data: mujoco.MjData,
) -> None:
    """Put what never moves by itself somewhere else."""
    index = int(model.body(name).mocapid[0])
    data.mocap_pos[index], data.mocap_quat[index] = position_m, _wxyz(quaternion)


def _wxyz(quaternion: tuple[float, float, float, float] | Float[np.ndarray, "4"]) -> list[float]:
    x, y, z, w = quaternion
    return [w, x, y, z]
