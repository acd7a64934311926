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
        self._fixed = np.stack([joint.fixed for joint in self._joints])
        self._numbers = np.array([-1 if joint.number is None else joint.number for joint in self._joints])
        self._slides = np.array([joint.kind == "prismatic" for joint in self._joints])
        self._axes = np.stack([joint.axis for joint in self._joints])
        x, y, z = self._axes.T
        zero = np.zeros_like(x)
        self._cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
        self._squares = self._cross @ self._cross

    def _read(self, element: ElementTree.Element, joints: list[str]) -> _Joint:
        name, axis = element.attrib["name"], element.find("axis")
        return _Joint(
            child=len(self.names),
            parent=self.names.index(_link(element, "parent")),
            fixed=origin_matrix(element.find("origin")),
            axis=_unit(numbers("1 0 0" if axis is None else axis.attrib["xyz"])),
            kind=element.attrib["type"],
            number=joints.index(name) if name in joints and element.attrib["type"] != "fixed" else None,
        )

    def poses(self, positions: Float[np.ndarray, "V J"]) -> Float[np.ndarray, "V L 4 4"]:
        """Return link to world coordinates [m] for joint positions [rad, prismatic m]."""
        steps = self._fixed @ self._motions(positions)
        poses = np.empty((len(positions), len(self.names), 4, 4))
        poses[:, 0] = self._base
        for number, joint in enumerate(self._joints):
            np.matmul(poses[:, joint.parent], steps[:, number], out=poses[:, joint.child])
        return poses

    def _motions(self, positions: Float[np.ndarray, "V J"]) -> Float[np.ndarray, "V K 4 4"]:
        """Return what the K joints of the tree do at these positions, all at once: Rodrigues' formula, or a slide."""
        moved = np.where(self._numbers >= 0, positions[:, self._numbers], 0.0)  # [V,K]
        turned, slid = np.where(self._slides, 0.0, moved), np.where(self._slides, moved, 0.0)
        sine, versine = np.sin(turned)[..., None, None], (1 - np.cos(turned))[..., None, None]
        motions = np.zeros((*moved.shape, 4, 4))
        motions[..., :3, :3] = np.eye(3) + sine * self._cross + versine * self._squares
        motions[..., :3, 3] = slid[..., None] * self._axes
        motions[..., 3, 3] = 1.0
        return motions


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


def _unit(axis: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    length = np.linalg.norm(axis)
    return axis / length if length else axis  # a fixed joint may name the axis 0 0 0


def _link(joint: ElementTree.Element, end: str) -> str:
    element = joint.find(end)
    if element is None:
        raise ValueError(f"joint {joint.attrib.get('name')!r} names no {end}")
    return element.attrib["link"]
