"""A scene in a PyBullet client: what is loaded once, and posed again and again."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError
from robossl_envs.quiet_pybullet import pybullet as p
from robossl_envs.simulation.cylinder import cylinder_mesh
from robossl_envs.simulation.scene import BodySpec, SceneSpec


@dataclass
class Loaded:
    """Bullet's numbers for what was loaded into one client."""

    robot: int
    joints: list[int]
    links: dict[str, int]
    bodies: dict[str, int] = field(default_factory=dict)


def load_scene(scene: SceneSpec, client: int, *, collisions: bool = True) -> Loaded:
    """Load a scene into a client and return the numbers; without collisions it is good only for drawing."""
    flags = p.URDF_USE_SELF_COLLISION_EXCLUDE_ALL_PARENTS if scene.robot.self_collides else 0
    robot = p.loadURDF(
        str(scene.robot.urdf), scene.robot.base_position_m, useFixedBase=True, flags=flags, physicsClientId=client
    )
    joints, links = {}, {}
    for index in range(p.getNumJoints(robot, physicsClientId=client)):
        info = p.getJointInfo(robot, index, physicsClientId=client)
        joints[info[1].decode()], links[info[12].decode()] = index, index
    loaded = Loaded(robot, [joints[name] for name in scene.robot.joints], links)
    for body in (*scene.bodies, *(part for item in scene.articulated for part in item.fixed)):
        loaded.bodies[body.name] = _load_body(body, client, collides=collisions and body.collides)
    return loaded


def _load_body(body: BodySpec, client: int, *, collides: bool) -> int:
    radius_m, half_height_m = body.size_m[:2]
    sizes: dict[str, tuple[int, dict[str, Any]]] = {
        "box": (p.GEOM_BOX, {"halfExtents": body.size_m}),
        "sphere": (p.GEOM_SPHERE, {"radius": radius_m}),
        "cylinder": (p.GEOM_CYLINDER, {"radius": radius_m, "height": 2 * half_height_m}),
    }
    kind, size = sizes[body.shape]
    seen = (p.GEOM_MESH, cylinder_mesh(radius_m, half_height_m)) if body.shape == "cylinder" else (kind, size)
    visual = p.createVisualShape(seen[0], rgbaColor=(*body.rgb, 1.0), physicsClientId=client, **seen[1])
    collision = p.createCollisionShape(kind, physicsClientId=client, **size) if collides else -1
    number: int = p.createMultiBody(
        body.mass_kg if collides else 0.0,
        collision,
        visual,
        body.position_m,
        body.quaternion,
        physicsClientId=client,
    )
    return number


def pose_scene(visual_state: Float[np.ndarray, " X"], scene: SceneSpec, loaded: Loaded, client: int) -> None:
    """Put a loaded scene into a visual state; of an articulated body, what stands still."""
    num_joints = len(loaded.joints)
    expected = num_joints + 7 * len(scene.drawn)
    if len(visual_state) != expected:
        raise EnvError(f"a visual state of this scene has {expected} numbers, not {len(visual_state)}")
    state = np.asarray(visual_state, dtype=float)
    for joint, position in zip(loaded.joints, state[:num_joints], strict=True):
        p.resetJointState(loaded.robot, joint, position, physicsClientId=client)
    for body, pose in zip(scene.drawn, state[num_joints:].reshape(-1, 7), strict=True):
        if body.name in loaded.bodies:
            number = loaded.bodies[body.name]
            p.resetBasePositionAndOrientation(number, pose[:3], pose[3:], physicsClientId=client)
