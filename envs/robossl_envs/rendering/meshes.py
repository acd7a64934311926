"""Low-polygon visuals for a robot of pybullet_data, since drawing is what a picture of the original costs (40 ms)."""

import hashlib
import os
import shutil
import tempfile
import threading
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pybullet_data
from fast_simplification import simplify
from jaxtyping import Float, Int
from PIL import Image

from robossl_envs.errors import EnvError, unknown

ROBOTS = {"panda": "franka_panda/panda.urdf"}
"""Name to URDF below pybullet_data."""
NUM_FACES = 3000
"""Faces of all links together: at 64 px the arm looks the same as with its own 100,000."""
MIN_FACES_OF_PIECE = 12
MIN_ROOT_AREA_M = 0.02
"""Connected pieces of less surface than this squared are left out."""
WELD_M = 0.0005
"""Vertices closer than this become one; without it the simplifier tears the seams open."""
AGGRESSIVENESS = 5
LAYOUT_VERSION = 1
"""Counted up when this file builds something else from the same input."""
_BUILDING = threading.Lock()
"""The simplifier keeps its mesh in global variables: two threads at once mix theirs."""

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Mesh:
    """Triangles of one colour."""

    vertices_m: Float[np.ndarray, "V 3"]
    faces: Int[np.ndarray, "F 3"]
    rgb: Rgb


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


def build_robot(name: str = "panda", *, cache_dir: Path | None = None) -> RobotAssets:
    """Return the robot with low-polygon visuals; the first call builds it (3 s), later ones read the cache.

    Raises `EnvError` for a name that is not in `ROBOTS`, or where the cache can't be written.
    """
    if name not in ROBOTS:
        raise unknown("robot", name, ROBOTS)
    source = Path(pybullet_data.getDataPath()) / ROBOTS[name]
    parent = (cache_dir or cache_root()) / "robots"
    folder = parent.resolve() / f"{name}-{_fingerprint(source)}"
    with _BUILDING:
        if not folder.is_dir():
            try:
                parent.mkdir(parents=True, exist_ok=True)
                _build_aside(source, folder)
            except OSError as error:
                raise EnvError(f"can't write robot meshes to {parent}: {error}; set ROBOSSL_CACHE") from error
    return RobotAssets(folder / f"{name}.urdf", sum(_count_faces(path) for path in folder.glob("*.obj")))


def _fingerprint(source: Path) -> str:
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
    digest = hashlib.sha256(repr((str(source), settings)).encode())
    for path in sorted(path for path in source.parent.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _build_aside(source: Path, folder: Path) -> None:
    """Build under a temporary name and rename, so that two processes may build at once."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        _build(source, aside, final=folder)
        aside.chmod(0o755)
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, and its result is the same
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _build(source: Path, into: Path, *, final: Path) -> None:
    """Write one OBJ per visual and colour, and the URDF that names them as they will lie in `final`."""
    robot = ElementTree.parse(source)
    visuals = [(link, visual) for link in robot.iter("link") for visual in link.findall("visual")]
    originals = [
        [pieces for part in _read_parts(_mesh_path(visual, source)) if (pieces := _pieces(_weld(part)))]
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
    for collision in robot.iter("collision"):
        for mesh in collision.iter("mesh"):
            mesh.set("filename", str(_mesh_path(collision, source)))
    robot.write(into / f"{source.stem}.urdf", xml_declaration=True)


def _visual_element(path: Path, name: str, rgb: Rgb, origin: ElementTree.Element | None) -> ElementTree.Element:
    visual = ElementTree.Element("visual")
    if origin is not None:
        visual.append(origin)
    ElementTree.SubElement(ElementTree.SubElement(visual, "geometry"), "mesh", filename=str(path))
    material = ElementTree.SubElement(visual, "material", name=name)
    ElementTree.SubElement(material, "color", rgba=" ".join(f"{value:g}" for value in (*rgb, 1.0)))
    return visual


def _mesh_path(shape: ElementTree.Element, source: Path) -> Path:
    mesh = next(shape.iter("mesh"))
    return source.parent / mesh.attrib["filename"].removeprefix("package://")


def _read_parts(path: Path) -> list[Mesh]:
    """Read an OBJ of triangles and return one mesh per colour, lightest first."""
    vertices, uvs, kd = [], [], _read_materials(path)
    faces: dict[str, list[list[list[str]]]] = defaultdict(list)
    material = ""
    for line in path.read_text().splitlines():
        match line.split():
            case ["v", *numbers]:
                vertices.append([float(number) for number in numbers[:3]])
            case ["vt", u, v, *_]:
                uvs.append([float(u), float(v)])
            case ["usemtl", name]:
                material = name
            case ["f", *corners]:
                faces[material].append([corner.split("/") for corner in corners])
    by_colour: dict[Rgb, list[np.ndarray]] = defaultdict(list)
    for name, triangles in faces.items():
        colour = _colour(path, triangles, np.array(uvs), kd.get(name, (1.0, 1.0, 1.0)))
        by_colour[colour].append(np.array([[int(corner[0]) - 1 for corner in triangle] for triangle in triangles]))
    meshes = [Mesh(np.array(vertices), np.concatenate(parts), rgb) for rgb, parts in by_colour.items()]
    return sorted(meshes, key=lambda mesh: mesh.rgb, reverse=True)


def _colour(path: Path, triangles: list[list[list[str]]], uvs: Float[np.ndarray, "N 2"], kd: Rgb) -> Rgb:
    """Return the mean texture colour under a material's faces, in steps of 0.1 so that near colours become one part.

    The material's own colour counts only where it has no texture: what the files say beside it turns links black.
    """
    corners = [int(corner[1]) - 1 for triangle in triangles for corner in triangle if len(corner) > 1 and corner[1]]
    texture = path.with_name("colors.png")
    if not corners or not texture.is_file():
        rgb = np.array(kd)
    else:
        pixels = np.asarray(Image.open(texture).convert("RGB")) / 255.0
        height, width, _ = pixels.shape
        u, v = uvs[corners].T % 1.0
        rgb = pixels[((1.0 - v) * (height - 1)).astype(int), (u * (width - 1)).astype(int)].mean(axis=0)
    red, green, blue = (round(float(value), 1) for value in rgb)
    return red, green, blue


def _read_materials(path: Path) -> dict[str, Rgb]:
    """Return the diffuse colours of the material file beside an OBJ."""
    colours: dict[str, Rgb] = {}
    library, name = path.with_suffix(".mtl"), ""
    for line in library.read_text().splitlines() if library.is_file() else ():
        match line.split():
            case ["newmtl", name]:
                pass
            case ["Kd", red, green, blue]:
                colours[name] = (float(red), float(green), float(blue))
    return colours


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
