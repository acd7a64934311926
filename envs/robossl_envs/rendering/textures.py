"""The procedural texture pool: small pictures that looks refer to by index, the same in every process and release."""

from functools import cache

import numpy as np
from jaxtyping import Float, UInt8

TEXTURE_SIZE_PX = 64
KINDS = ("gradient", "checker", "stripes", "noise")
VARIANTS = 4
NUM_TEXTURES = len(KINDS) * VARIANTS
"""Texture i is of kind `KINDS[i // VARIANTS]`; a later variant is finer."""


@cache
def texture_pool() -> tuple[UInt8[np.ndarray, "64 64 3"], ...]:
    """Return all textures: grey multipliers between about 0.45 and 1, since the colour comes from the surface."""
    return tuple(_texture(kind, variant) for kind in KINDS for variant in range(VARIANTS))


def _texture(kind: str, variant: int) -> UInt8[np.ndarray, "64 64 3"]:
    u, v = np.meshgrid(*2 * [np.arange(TEXTURE_SIZE_PX) / TEXTURE_SIZE_PX])
    cells = 2 ** (variant + 1)
    match kind:
        case "gradient":
            angle = variant * np.pi / VARIANTS
            value = 0.5 + 0.5 * np.sin(np.pi * (u * np.cos(angle) + v * np.sin(angle)))
        case "checker":
            value = (np.floor(u * cells) + np.floor(v * cells)) % 2
        case "stripes":
            value = np.floor((u if variant % 2 else v) * 2 * cells) % 2
        case _:
            value = _noise(cells, np.random.default_rng(variant))
    grey = np.round(255 * (0.45 + 0.55 * value)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _noise(cells: int, generator: np.random.Generator) -> Float[np.ndarray, "64 64"]:
    """Return value noise: random numbers on a coarse periodic grid, linearly interpolated."""
    grid = generator.random((cells, cells))
    position = np.arange(TEXTURE_SIZE_PX) * cells / TEXTURE_SIZE_PX
    low = position.astype(int)
    part = position - low
    high = (low + 1) % cells
    rows = grid[low] * (1 - part)[:, None] + grid[high] * part[:, None]
    return rows[:, low] * (1 - part) + rows[:, high] * part
