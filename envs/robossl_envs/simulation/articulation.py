"""Where the parts of an articulated body are: the same arithmetic for both engines and all renderers."""

import numpy as np
from jaxtyping import Float

from robossl_envs.simulation.scene import ArticulatedSpec, BodySpec
from robossl_envs.simulation.simulation import Pose


def part_poses(spec: ArticulatedSpec, base: Pose, joint: float) -> list[Pose]:
    """Return the pose of each part for a frame and a joint position [m or rad]."""
    moved = compose(base, _motion(spec, joint))
    frames = [base] * len(spec.fixed) + [moved] * len(spec.moving)
    return [compose(frame, own_pose(part)) for frame, part in zip(frames, spec.parts, strict=True)]


def part_pose(spec: ArticulatedSpec, base: Pose, joint: float, index: int) -> Pose:
    """Return the pose of one part."""
    frame = base if index < len(spec.fixed) else compose(base, _motion(spec, joint))
    return compose(frame, own_pose(spec.parts[index]))


def own_pose(part: BodySpec) -> Pose:
    """Return where a part is in the frame of what it is a part of."""
    return np.array(part.position_m), np.array(part.quaternion)


def base_and_joint(spec: ArticulatedSpec, poses: Float[np.ndarray, "P 7"]) -> tuple[Pose, float]:
    """Return the frame and the joint position that the poses of all parts come from."""
    first, moved = spec.fixed[0], spec.moving[0]
    base = compose(_pose(poses[0]), _inverse(own_pose(first)))
    seen = compose(_inverse(base), _pose(poses[len(spec.fixed)]))
    motion = compose(seen, _inverse(own_pose(moved)))
    if spec.joint == "slide":
        return base, float(np.dot(spec.axis, motion[0]))
    return base, float(2 * np.arctan2(np.dot(spec.axis, motion[1][:3]), motion[1][3]))


def compose(outer: Pose, inner: Pose) -> Pose:
    """Return the pose that is `inner` in the frame `outer`."""
    return outer[0] + _rotate(outer[1], inner[0]), _multiply(outer[1], inner[1])


def _motion(spec: ArticulatedSpec, joint: float) -> Pose:
    axis = np.array(spec.axis)
    if spec.joint == "slide":
        return axis * joint, np.array([0.0, 0.0, 0.0, 1.0])
    turn = np.array([*(axis * np.sin(joint / 2)), np.cos(joint / 2)])
    anchor_m = np.array(spec.anchor_m)
    return anchor_m - _rotate(turn, anchor_m), turn


def _pose(numbers: Float[np.ndarray, "7"]) -> Pose:
    return numbers[:3], numbers[3:]


def _inverse(pose: Pose) -> Pose:
    back = pose[1] * np.array([-1.0, -1.0, -1.0, 1.0])
    return -_rotate(back, pose[0]), back


def _rotate(quaternion: Float[np.ndarray, "4"], vector: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    axis, w = quaternion[:3], quaternion[3]
    return vector + 2 * _cross(axis, _cross(axis, vector) + w * vector)


def _multiply(first: Float[np.ndarray, "4"], second: Float[np.ndarray, "4"]) -> Float[np.ndarray, "4"]:
    a, w = first[:3], first[3]
    b, v = second[:3], second[3]
    return np.array([*(w * b + v * a + _cross(a, b)), w * v - a @ b])


def _cross(first: Float[np.ndarray, "3"], second: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """Return the cross product; NumPy's own costs ten times as much on arrays this small."""
    (x, y, z), (u, v, w) = first.tolist(), second.tolist()
    return np.array([y * w - z * v, z * u - x * w, x * v - y * u])
