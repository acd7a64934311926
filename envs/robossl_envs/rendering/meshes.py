"""Low-polygon visuals for a robot of pybullet_data, since drawing is what a picture of the original costs (40 ms)."""

import hashlib
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pybullet_data
from fast_simplification import simplify

from robossl_envs.errors import EnvError, unknown
from robossl_envs.rendering.mesh_files import Mesh, Rgb, read_parts


@dataclass(frozen=True)
class Source:
    """Where a robot's URDF is, and what is added to it."""

    urdf: str
    """Path below pybullet_data."""
    tool: tuple[str, str, float] | None = None
    """A link to add at the fingertips: its name, its parent, and how far along the parent's z axis it is [m]."""
    rubber: tuple[str, ...] = ()
    """Links whose contacts get what the Panda's URDF says of its fingers."""


ROBOTS = {"panda": Source("franka_panda/panda.urdf")}
"""What is built by its name alone."""
NUM_FACES = 3000
"""Faces of all links together: at 64 px the arm looks the same as with its own 100,000."""
MIN_FACES_OF_PIECE = 12
MIN_ROOT_AREA_M = 0.02
"""Connected pieces of less surface than this squared are left out."""
WELD_M = 0.0005
"""Vertices closer than this become one; without it the simplifier tears the seams open."""
AGGRESSIVENESS = 5
LAYOUT_VERSION = 2
"""Counted up when this file builds something else from the same input."""
_BUILDING = threading.Lock()
"""The simplifier keeps its mesh in global variables: two threads at once mix theirs."""


@dataclass(frozen=True)
class RobotAssets:
    """A built robot on disk."""

    urdf: Path
    """One `<visual>` per colour, absolute paths, collision meshes as they were. Both engines read it."""
    num_faces: int


def cache_root() -> Path:
    """Return the folder of what robossl builds once: $ROBOSSL_CACHE, else `robossl` in the user's cache."""
    own = os.environ.get("ROBOSSL_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "robossl"


def build_robot(name: str = "panda", robot: Source | None = None, *, cache_dir: Path | None = None) -> RobotAssets:
    """Return the robot with low-polygon visuals; the first call builds it (3 s), later ones read the cache.

    Raises `EnvError` for a name alone that is not in `ROBOTS`, or where the cache can't be written.
    """
    if robot is None:
        if name not in ROBOTS:
            raise unknown("robot", name, ROBOTS)
        robot = ROBOTS[name]
    source = Path(pybullet_data.getDataPath()) / robot.urdf
    parent = (cache_dir or cache_root()) / "robots"
    folder = parent.resolve() / f"{name}-{_fingerprint(source, robot)}"
    with _BUILDING:
        if not folder.is_dir():
            try:
                parent.mkdir(parents=True, exist_ok=True)
                _build_aside(source, folder, robot)
            except OSError as error:
                raise EnvError(f"can't write robot meshes to {parent}: {error}; set ROBOSSL_CACHE") from error
    return RobotAssets(folder / source.name, sum(_count_faces(path) for path in folder.glob("*.obj")))


def _fingerprint(source: Path, robot: Source) -> str:
    """Hash what the result depends on: inputs, where they lie (the URDF names them), and the settings here."""
    settings = (
        NUM_FACES,
        MIN_FACES_OF_PIECE,
        MIN_ROOT_AREA_M,
        WELD_M,
        AGGRESSIVENESS,
        LAYOUT_VERSION,
        version("fast-simplification"),
    )
    digest = hashlib.sha256(repr((str(source), settings, robot)).encode())
    for path in sorted(path for path in source.parent.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _build_aside(source: Path, folder: Path, robot: Source) -> None:
    """Build under a temporary name and rename, so that two processes may build at once."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        _build(source, aside, final=folder, robot=robot)
        aside.chmod(0o755)
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, and its result is the same
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _build(source: Path, into: Path, *, final: Path, robot: Source) -> None:
    """Write one OBJ per visual and colour, and the URDF that names them as they will lie in `final`."""
    tree = ElementTree.parse(source)
    root = tree.getroot()
    for element in [*root.findall("transmission"), *root.findall("gazebo")]:
        root.remove(element)  # they name joints again, and no engine here reads them
    visuals = [(link, visual) for link in tree.iter("link") for visual in link.findall("visual")]
    originals = [
        [
            pieces
            for part in read_parts(_mesh_path(visual, source), _material(visual, root))
            if (pieces := _pieces(_weld(part)))
        ]
        for _, visual in visuals
    ]
    scale = NUM_FACES / sum(_root_area(piece) for parts in originals for part in parts for piece in part)
    for (link, visual), parts in zip(visuals, originals, strict=True):
        link.remove(visual)
        for index, pieces in enumerate(parts):
            budgets = [max(MIN_FACES_OF_PIECE, round(scale * _root_area(piece))) for piece in pieces]
            small = _join([_decimate(piece, budget) for piece, budget in zip(pieces, budgets, strict=True)])
            name = f"{link.attrib['name']}_visual{index}"
            _write_obj(into / f"{name}.obj", small)
            link.append(_visual_element(final / f"{name}.obj", name, small.rgb, visual.find("origin")))
    for collision in tree.iter("collision"):
        for mesh in collision.iter("mesh"):
            mesh.set("filename", str(_mesh_path(collision, source)))
    if robot.tool is not None:
        root.extend(_tool(*robot.tool))
    for link in root.iter("link"):
        if link.attrib["name"] in robot.rubber:
            link.append(_rubber())
    tree.write(into / f"{source.stem}.urdf", xml_declaration=True)


def _visual_element(path: Path, name: str, rgb: Rgb, origin: ElementTree.Element | None) -> ElementTree.Element:
    visual = ElementTree.Element("visual")
    if origin is not None:
        visual.append(origin)
    ElementTree.SubElement(ElementTree.SubElement(visual, "geometry"), "mesh", filename=str(path))
    material = ElementTree.SubElement(visual, "material", name=name)
    ElementTree.SubElement(material, "color", rgba=" ".join(f"{value:g}" for value in (*rgb, 1.0)))
    return visual


def _material(visual: ElementTree.Element, root: ElementTree.Element) -> Rgb:
    """Return the colour of a visual's material, which may stand with the robot; white where there is none."""
    used = visual.find("material")
    named = [] if used is None else [used, *root.findall("material")]
    for material in named:
        colour = material.find("color")
        if colour is not None and material.attrib["name"] == named[0].attrib["name"]:
            red, green, blue = (round(float(value), 1) for value in colour.attrib["rgba"].split()[:3])
            return red, green, blue
    return 1.0, 1.0, 1.0


def _rubber() -> ElementTree.Element:
    contact = ElementTree.Element("contact")
    ElementTree.SubElement(contact, "friction_anchor")
    values = {"stiffness": 30000.0, "damping": 1000.0, "spinning_friction": 0.1, "lateral_friction": 1.0}
    for name, value in values.items():
        ElementTree.SubElement(contact, name, value=str(value))
    return contact


def _tool(name: str, parent: str, along_m: float) -> list[ElementTree.Element]:
    """Return a link without mass and the joint that fixes it, in the form that both engines take."""
    link = ElementTree.Element("link", name=name)
    inertial = ElementTree.SubElement(link, "inertial")
    ElementTree.SubElement(inertial, "mass", value="0.0")
    ElementTree.SubElement(inertial, "inertia", ixx="0.1", ixy="0", ixz="0", iyy="0.1", iyz="0", izz="0.1")
    joint = ElementTree.Element("joint", name=f"{name}_fixed", type="fixed")
    ElementTree.SubElement(joint, "parent", link=parent)
    ElementTree.SubElement(joint, "child", link=name)
    ElementTree.SubElement(joint, "origin", rpy="0 0 0", xyz=f"0 0 {along_m}")
    return [link, joint]


def _mesh_path(shape: ElementTree.Element, source: Path) -> Path:
    mesh = next(shape.iter("mesh"))
    return source.parent / mesh.attrib["filename"].removeprefix("package://")


def _root_area(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices_m[mesh.faces[:, corner]] for corner in range(3))
    return float(np.sqrt(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2))


def _weld(mesh: Mesh) -> Mesh:
    """Join vertices that lie on one point of a grid, and drop the faces that this makes empty."""
    grid = np.round(mesh.vertices_m / WELD_M).astype(int)
    _, first, welded = np.unique(grid, axis=0, return_index=True, return_inverse=True)
    faces = welded.reshape(-1)[mesh.faces]
    proper = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    return Mesh(mesh.vertices_m[first], faces[proper], mesh.rgb)


def _pieces(mesh: Mesh) -> list[Mesh]:
    """Split a mesh into its connected pieces and leave out the tiny ones, such as screws.

    Piece by piece, since the simplifier takes a small flat one away whole where a larger one can give faces.
    """
    labels = np.arange(len(mesh.vertices_m))
    while True:
        before = labels.copy()
        np.minimum.at(labels, mesh.faces, labels[mesh.faces].min(axis=1, keepdims=True))
        labels = labels[labels]
        if np.array_equal(before, labels):
            break
    of_face = labels[mesh.faces[:, 0]]
    pieces = [Mesh(mesh.vertices_m, mesh.faces[of_face == label], mesh.rgb) for label in np.unique(of_face)]
    return [piece for piece in pieces if _root_area(piece) > MIN_ROOT_AREA_M]


def _decimate(mesh: Mesh, num_faces: int) -> Mesh:
    """Collapse edges until about `num_faces` are left."""
    used, faces = np.unique(mesh.faces, return_inverse=True)
    vertices_m, faces = mesh.vertices_m[used], faces.reshape(-1, 3)
    if len(faces) > num_faces:
        points, faces = simplify(
            vertices_m.astype(np.float32), faces.astype(np.int32), target_count=num_faces, agg=AGGRESSIVENESS
        )
        vertices_m = points.astype(float)
    return Mesh(vertices_m, faces, mesh.rgb)


def _join(meshes: list[Mesh]) -> Mesh:
    starts = np.cumsum([0, *(len(mesh.vertices_m) for mesh in meshes[:-1])])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
    return Mesh(np.concatenate([mesh.vertices_m for mesh in meshes]), np.concatenate(faces), meshes[0].rgb)


def _write_obj(path: Path, mesh: Mesh) -> None:
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in mesh.vertices_m]
    lines += [f"f {a} {b} {c}" for a, b, c in mesh.faces + 1]
    path.write_text("\n".join(["o part", *lines, ""]))


def _count_faces(path: Path) -> int:
    return sum(line.startswith("f ") for line in path.read_text().splitlines())
