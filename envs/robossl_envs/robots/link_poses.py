"""Where every link of a robot is, for many joint positions at once: what a batched renderer poses its meshes by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float

from robossl_envs.robots.kinematics import rotation_rpy


@dataclass(frozen=True)
class _Joint:
    child: int
    parent: int
    fixed: Float[np.ndarray, "4 4"]
    axis: Float[np.ndarray, "3"]
    kind: str
    number: int | None
    """Column of the joint positions; None: it stays at zero."""


class LinkPoses:
    """Forward kinematics of a whole URDF tree, vectorized over instants."""

    def __init__(
        self, urdf: Path, joints: Sequence[str], *, base_position_m: Sequence[float] = (0.0, 0.0, 0.0)
    ) -> None:
        """Read the tree.

        Args:
            urdf: the robot.
            joints: names of the joints that positions are given for, in their order; the others stay at zero.
            base_position_m: of the root link [m].
        """
        root = ElementTree.parse(urdf).getroot()
        elements = list(root.iter("joint"))
        children = {_link(element, "child") for element in elements}
        base = next(link.attrib["name"] for link in root.iter("link") if link.attrib["name"] not in children)
        self.names = [base]
        """Links in the order of `poses`, the root first."""
        self._base = translation(np.array(base_position_m, dtype=float))
        self._joints: list[_Joint] = []
        while elements:
            ready = [element for element in elements if _link(element, "parent") in self.names]
            if not ready:
                raise ValueError(f"{urdf}: {_link(elements[0], 'parent')!r} hangs on no other link")
            for element in ready:
                self._joints.append(self._read(element, list(joints)))
                self.names.append(_link(element, "child"))
                elements.remove(element)

    def _read(self, element: ElementTree.Element, joints: list[str]) -> _Joint:
        name, axis = element.attrib["name"], element.find("axis")
        return _Joint(
            child=len(self.names),
            parent=self.names.index(_link(element, "parent")),
            fixed=origin_matrix(element.find("origin")),
            axis=numbers("1 0 0" if axis is None else axis.attrib["xyz"]),
            kind=element.attrib["type"],
            number=joints.index(name) if name in joints else None,
        )

    def poses(self, positions: Float[np.ndarray, "V J"]) -> Float[np.ndarray, "V L 4 4"]:
        """Return link to world coordinates [m] for joint positions [rad, prismatic m]."""
        poses = np.empty((len(positions), len(self.names), 4, 4))
        poses[:, 0] = self._base
        for joint in self._joints:
            pose = poses[:, joint.parent] @ joint.fixed
            if joint.number is not None and joint.kind != "fixed":
                pose = pose @ _motion(joint, positions[:, joint.number])
            poses[:, joint.child] = pose
        return poses


def translation(offset_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "4 4"]:
    """Return the matrix that moves by an offset."""
    matrix = np.eye(4)
    matrix[:3, 3] = offset_m
    return matrix


def origin_matrix(origin: ElementTree.Element | None) -> Float[np.ndarray, "4 4"]:
    """Return what an `<origin>` says, as a matrix."""
    attributes = {} if origin is None else origin.attrib
    matrix = translation(numbers(attributes.get("xyz", "0 0 0")))
    matrix[:3, :3] = rotation_rpy(*numbers(attributes.get("rpy", "0 0 0")))
    return matrix


def numbers(text: str) -> Float[np.ndarray, " N"]:
    """Return the numbers of an attribute."""
    return np.array([float(number) for number in text.split()])


def _motion(joint: _Joint, positions: Float[np.ndarray, " V"]) -> Float[np.ndarray, "V 4 4"]:
    motion = np.tile(np.eye(4), (len(positions), 1, 1))
    if joint.kind == "prismatic":
        motion[:, :3, 3] = positions[:, None] * joint.axis
        return motion
    x, y, z = joint.axis / np.linalg.norm(joint.axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, versine = np.sin(positions), 1 - np.cos(positions)
    motion[:, :3, :3] += sine[:, None, None] * cross + versine[:, None, None] * (cross @ cross)
    return motion


def _link(joint: ElementTree.Element, end: str) -> str:
    element = joint.find(end)
    if element is None:
        raise ValueError(f"joint {joint.attrib.get('name')!r} names no {end}")
    return element.attrib["link"]
