"""Reading the mesh files of pybullet_data's robots, colour by colour."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

Rgb = tuple[float, float, float]
_STL_HEADER_BYTES = 84
_STL_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


@dataclass(frozen=True)
class Mesh:
    """Triangles of one colour."""

    vertices_m: Float[np.ndarray, "V 3"]
    faces: Int[np.ndarray, "F 3"]
    rgb: Rgb


def read_parts(path: Path, rgb: Rgb) -> list[Mesh]:
    """Read an OBJ of triangles or a binary STL and return one mesh per colour, lightest first; an STL wears `rgb`."""
    if path.suffix.lower() == ".stl":
        corners = np.frombuffer(path.read_bytes()[_STL_HEADER_BYTES:], _STL_TRIANGLE)["corners"].reshape(-1, 3)
        return [Mesh(corners.astype(float), np.arange(len(corners)).reshape(-1, 3), rgb)]
    return _read_obj(path)


def _read_obj(path: Path) -> list[Mesh]:
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
