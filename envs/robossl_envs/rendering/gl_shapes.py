"""Triangles for the batched renderer: the links of a robot, and the primitive bodies."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float, Int

from robossl_envs.errors import EnvError
from robossl_envs.robots.link_poses import numbers, origin_matrix
from robossl_envs.simulation.cylinder import cylinder_mesh

SPHERE_RINGS, SPHERE_SECTORS = 12, 24
BOX_UV = {
    # side: (axis and sign of u, of v, offsets); Bullet unfolds its box over the texture, a quarter of it a side
    (0, 1): ((2, -1), (1, 1), (0.125, 0.625)),
    (0, -1): ((1, 1), (2, -1), (0.625, 0.875)),
    (1, 1): ((0, 1), (2, -1), (0.125, 0.875)),
    (1, -1): ((0, 1), (2, 1), (0.375, 0.625)),
    (2, 1): ((0, 1), (1, 1), (0.875, 0.875)),
    (2, -1): ((0, -1), (1, 1), (0.375, 0.875)),
}
"""Measured on TinyRenderer's pictures, so that textured tables look alike in both renderers."""


@dataclass(frozen=True)
class Shape:
    """Indexed triangles, counter-clockwise from outside."""

    vertices: Float[np.ndarray, "N K"]
    """x, y, z [m, or parts of a body's size], normal, then rgb (links) or u, v (bodies)."""
    triangles: Int[np.ndarray, "F 3"]

    @property
    def centre(self) -> Float[np.ndarray, "3"]:
        """Return the middle of the bounding box."""
        return (self.vertices[:, :3].min(axis=0) + self.vertices[:, :3].max(axis=0)) / 2

    @property
    def half_extents(self) -> Float[np.ndarray, "3"]:
        """Return half the sides of the bounding box."""
        return (self.vertices[:, :3].max(axis=0) - self.vertices[:, :3].min(axis=0)) / 2


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """A shape in the scene."""

    shape: Shape
    part: int
    """Its number in the masks."""
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """What it is stretched by."""


def robot_shapes(urdf: Path) -> dict[str, Shape]:
    """Return link name to its visuals in one flat-shaded shape, coloured by vertex."""
    shapes = {}
    for link in ElementTree.parse(urdf).getroot().iter("link"):
        parts = [_visual(visual) for visual in link.findall("visual")]
        if parts:
            shapes[link.attrib["name"]] = _joined(parts)
    return shapes


def body_shape(kind: str) -> Shape:
    """Return the unit box, sphere or cylinder, to be stretched by a body's size."""
    match kind:
        case "box":
            return _box()
        case "sphere":
            return _sphere()
        case "cylinder":
            mesh = cylinder_mesh(1.0, 1.0)
            middle = np.full((len(mesh["vertices"]), 2), 0.5)  # Bullet's mesh has no places on a texture either
            vertices = np.concatenate([mesh["vertices"], mesh["normals"], middle], axis=1)
            return Shape(vertices, np.array(mesh["indices"]).reshape(-1, 3))
    raise EnvError(f"the gl renderer draws boxes, spheres and cylinders, no {kind!r}: use renderer='tiny'")


def body_scale(kind: str, size_m: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return what stretches the unit shape to a body's `size_m`."""
    match kind:
        case "sphere":
            return size_m[0], size_m[0], size_m[0]
        case "cylinder":
            return size_m[0], size_m[0], size_m[1]
    return size_m


def _visual(visual: ElementTree.Element) -> Shape:
    mesh, colour = next(visual.iter("mesh")), next(visual.iter("color"))
    positions, triangles = _read_obj(Path(mesh.attrib["filename"]))
    placed = positions @ (matrix := origin_matrix(visual.find("origin")))[:3, :3].T + matrix[:3, 3]
    return _flat_shaded(placed, triangles, numbers(colour.attrib["rgba"])[:3])


def _flat_shaded(
    positions: Float[np.ndarray, "P 3"], triangles: Int[np.ndarray, "F 3"], rgb: Float[np.ndarray, "3"]
) -> Shape:
    """Give each triangle a last vertex of its own, which carries its normal: OpenGL takes `flat` values from that one.

    The other corners borrow any vertex at their place, so that there is about one vertex a triangle and not three.
    """
    a, b, c = (positions[triangles[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    at = np.full(len(positions), -1)
    at[triangles[:, 2]] = np.arange(len(triangles))
    lonely = np.flatnonzero(at < 0)
    at[lonely] = len(triangles) + np.arange(len(lonely))
    vertices = np.concatenate([np.concatenate([c, normals], axis=1), np.pad(positions[lonely], ((0, 0), (0, 3)))])
    indices = np.stack([at[triangles[:, 0]], at[triangles[:, 1]], np.arange(len(triangles))], axis=1)
    return Shape(np.concatenate([vertices, np.tile(rgb, (len(vertices), 1))], axis=1), indices)


def _joined(shapes: list[Shape]) -> Shape:
    starts = np.cumsum([0, *(len(shape.vertices) for shape in shapes[:-1])])
    triangles = [shape.triangles + start for shape, start in zip(shapes, starts, strict=True)]
    return Shape(np.concatenate([shape.vertices for shape in shapes]), np.concatenate(triangles))


def _read_obj(path: Path) -> tuple[Float[np.ndarray, "P 3"], Int[np.ndarray, "F 3"]]:
    """Read what `meshes.py` writes."""
    rows = [line.split() for line in path.read_text().splitlines()]
    positions = [[float(value) for value in row[1:]] for row in rows if row and row[0] == "v"]
    triangles = [[int(value) - 1 for value in row[1:]] for row in rows if row and row[0] == "f"]
    return np.array(positions), np.array(triangles)


def _box() -> Shape:
    vertices: list[list[float]] = []
    triangles: list[list[int]] = []
    for (axis, sign), ((u_axis, u_sign), (v_axis, v_sign), (u0, v0)) in BOX_UV.items():
        first, second = (axis + 1) % 3, (axis + 2) % 3
        start = len(vertices)
        for p, q in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            corner, normal = np.zeros(3), np.zeros(3)
            corner[axis], corner[first], corner[second] = sign, p, q
            normal[axis] = sign
            uv = (u0 + 0.125 * u_sign * corner[u_axis], v0 + 0.125 * v_sign * corner[v_axis])
            vertices.append([*corner, *normal, *uv])
        order = ((0, 1, 2), (0, 2, 3)) if sign > 0 else ((0, 2, 1), (0, 3, 2))
        triangles += [[start + corner for corner in triangle] for triangle in order]
    return Shape(np.array(vertices), np.array(triangles))


def _sphere() -> Shape:
    rows, columns = np.meshgrid(np.arange(SPHERE_RINGS + 1), np.arange(SPHERE_SECTORS + 1), indexing="ij")
    polar, azimuth = rows.ravel() * np.pi / SPHERE_RINGS, columns.ravel() * 2 * np.pi / SPHERE_SECTORS
    points = np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=1)
    places = np.stack([azimuth / (2 * np.pi), polar / np.pi], axis=1)
    corner = (np.arange(SPHERE_RINGS)[:, None] * (SPHERE_SECTORS + 1) + np.arange(SPHERE_SECTORS)).ravel()
    below, right = corner + SPHERE_SECTORS + 1, corner + 1
    triangles = np.concatenate([np.stack([corner, below, right], 1), np.stack([right, below, below + 1], 1)])
    return Shape(np.concatenate([points, points, places], axis=1), triangles)
