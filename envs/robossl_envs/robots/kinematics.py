"""Forward and inverse kinematics of a serial arm, read from its URDF.

Both engines get the same joint targets for the same state, since neither engine's own solver is asked.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float


def rotation_rpy(roll: float, pitch: float, yaw: float) -> Float[np.ndarray, "3 3"]:
    """Return the rotation matrix of URDF's fixed-axis roll, pitch, yaw [rad]."""
    (cr, cp, cy), (sr, sp, sy) = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def rotation_error(target: Float[np.ndarray, "3 3"], current: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3"]:
    """Return the small rotation vector [rad] that turns `current` towards `target`."""
    return 0.5 * _cross(current, target).sum(axis=1)


_IDENTITY, _ORIGIN = np.eye(3), np.zeros(3)
_NEXT, _LAST = np.array([1, 2, 0]), np.array([2, 0, 1])


class SerialChain:
    """The revolute joints between the base of an arm and one of its links."""

    def __init__(self, urdf: Path, tip: str) -> None:
        joints = {
            _attribute(joint, "child", "link"): joint for joint in ElementTree.parse(urdf).getroot().findall("joint")
        }
        chain: list[ElementTree.Element] = []
        while tip in joints:
            chain.insert(0, joints[tip])
            tip = _attribute(chain[0], "parent", "link")
        self._segments = [_segment(joint) for joint in chain]
        self._hinges = _Hinges([segment.axis for segment in self._segments if segment.axis is not None])
        moving = [joint for joint in chain if joint.attrib["type"] == "revolute"]
        self.lower_rad = np.array([float(_attribute(joint, "limit", "lower")) for joint in moving])
        self.upper_rad = np.array([float(_attribute(joint, "limit", "upper")) for joint in moving])

    def forward(
        self, positions_rad: Float[np.ndarray, " J"]
    ) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"], Float[np.ndarray, "6 J"]]:
        """Return position [m] and rotation of the tip in the base frame, and the Jacobian (linear rows first)."""
        rotation, position = _IDENTITY, _ORIGIN
        origins, axes = [], []
        turns = iter(self._hinges.rotations(positions_rad))
        for segment in self._segments:
            if segment.offset is not None:
                position = position + rotation.dot(segment.offset)
            if segment.fixed is not None:
                rotation = rotation.dot(segment.fixed)
            if segment.axis is not None:
                origins.append(position)
                axes.append(rotation.dot(segment.axis))
                rotation = rotation.dot(next(turns))
        angular = np.array(axes).T
        linear = _cross(angular, position[:, None] - np.array(origins).T)
        return position, rotation, np.concatenate([linear, angular])

    def inverse(
        self,
        position_m: Float[np.ndarray, "3"],
        rotation: Float[np.ndarray, "3 3"],
        *,
        start_rad: Float[np.ndarray, " J"],
        rest_rad: Float[np.ndarray, " J"],
        steps: int = 4,
        damping: float = 0.05,
    ) -> Float[np.ndarray, " J"]:
        """Return joint positions near `start_rad` that bring the tip to a pose, by damped least squares.

        The spare degree of freedom drifts towards `rest_rad`. Out of reach, a near pose within joint limits results.
        """
        joints = np.array(start_rad, dtype=float)
        damp = damping**2 * np.eye(6)
        for _ in range(steps):
            at, facing, jacobian = self.forward(joints)
            error = np.concatenate([position_m - at, rotation_error(rotation, facing)])
            idle = 0.1 * (rest_rad - joints)
            damped = jacobian @ jacobian.T + damp
            # J^+ e + (I - J^+ J) idle, with J^+ = J^T (J J^T + d^2 I)^-1
            joints = joints + idle + jacobian.T @ np.linalg.solve(damped, error - jacobian @ idle)
            joints = np.minimum(np.maximum(joints, self.lower_rad), self.upper_rad)
        return joints


def _cross(first: Float[np.ndarray, "3 N"], second: Float[np.ndarray, "3 N"]) -> Float[np.ndarray, "3 N"]:
    """Return the cross products of columns; NumPy's own costs ten times as much on arrays this small."""
    return first.take(_NEXT, 0) * second.take(_LAST, 0) - first.take(_LAST, 0) * second.take(_NEXT, 0)


def _attribute(element: ElementTree.Element, tag: str, name: str, default: str | None = None) -> str:
    child = element.find(tag)
    value = default if child is None else child.attrib.get(name, default)
    if value is None:
        raise ValueError(f"joint {element.attrib.get('name')!r} has no {tag} {name}")
    return value


def _vector(text: str) -> Float[np.ndarray, "3"]:
    return np.array([float(number) for number in text.split()])


@dataclass(frozen=True)
class _Segment:
    """What lies between two links; None: nothing that would change a number, and is left out."""

    offset: Float[np.ndarray, "3"] | None
    fixed: Float[np.ndarray, "3 3"] | None
    axis: Float[np.ndarray, "3"] | None
    """Of a hinge; None: the joint does not move."""


def _segment(joint: ElementTree.Element) -> _Segment:
    offset = _vector(_attribute(joint, "origin", "xyz", "0 0 0"))
    fixed = rotation_rpy(*_vector(_attribute(joint, "origin", "rpy", "0 0 0")))
    return _Segment(
        offset=offset if offset.any() else None,
        fixed=None if np.array_equal(fixed, _IDENTITY) else fixed,
        axis=_vector(_attribute(joint, "axis", "xyz")) if joint.attrib["type"] == "revolute" else None,
    )


class _Hinges:
    """Rotations about the axes of all hinges, by Rodrigues' formula; what does not change with angles is made once."""

    def __init__(self, axes: list[Float[np.ndarray, "3"]]) -> None:
        self._cross = np.array([[[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]] for x, y, z in axes])
        self._squared = np.array([cross @ cross for cross in self._cross])

    def rotations(self, angles_rad: Float[np.ndarray, " J"]) -> Float[np.ndarray, "J 3 3"]:
        angles = angles_rad.tolist()
        sines = np.array([math.sin(angle) for angle in angles])[:, None, None]
        rest = np.array([1 - math.cos(angle) for angle in angles])[:, None, None]
        return _IDENTITY + sines * self._cross + rest * self._squared
