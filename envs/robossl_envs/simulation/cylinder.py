"""A cylinder as triangles with sharp rims: Bullet's own is shaded so smoothly that it looks like a ball."""

from typing import Any

import numpy as np

NUM_SIDES = 24


def cylinder_mesh(radius_m: float, half_height_m: float) -> dict[str, Any]:
    """Return vertices, indices and normals of a cylinder about z, as `createVisualShape` takes a mesh."""
    angles = np.arange(NUM_SIDES) * 2 * np.pi / NUM_SIDES
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(NUM_SIDES)], axis=1)
    up = np.array([0.0, 0.0, 1.0])
    rims = [radius_m * ring + sign * half_height_m * up for sign in (1, -1)]
    # each rim twice: once with the side's normals, once with its cap's
    vertices = np.concatenate([*rims, *rims])
    normals = np.concatenate([ring, ring, np.tile(up, (NUM_SIDES, 1)), np.tile(-up, (NUM_SIDES, 1))])
    return {"vertices": vertices.tolist(), "indices": _triangles(), "normals": normals.tolist()}


def _triangles() -> list[int]:
    top, bottom, top_cap, bottom_cap = (NUM_SIDES * block for block in range(4))
    side, caps = [], []
    for this in range(NUM_SIDES):
        after = (this + 1) % NUM_SIDES
        side += [top + this, bottom + this, top + after, top + after, bottom + this, bottom + after]
    for this in range(1, NUM_SIDES - 1):  # fans about the first vertex
        caps += [top_cap, top_cap + this, top_cap + this + 1]
        caps += [bottom_cap, bottom_cap + this + 1, bottom_cap + this]
    return side + caps
