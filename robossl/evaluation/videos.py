"""Episodes side by side, big enough to be watched."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from robossl.types import Episode

GREEN = (60, 170, 80)
RED = (200, 70, 60)
WATCHABLE_PX = 192
BORDER_PX = 4
EMPTY = (236, 238, 241)
"""Of places in a grid that no episode fills."""


def episode_grid(
    episodes: Sequence[Episode], *, camera: str, columns: int = 4, min_size_px: int = WATCHABLE_PX
) -> UInt8[np.ndarray, "T H W 3"]:
    """Return one video of all episodes in a grid: a green frame where it succeeded, a red one where not.

    Small frames are enlarged by a whole factor, pixel by pixel, so that nothing is shown that the policy did not see;
    an episode that ends early keeps its last frame.

    Args:
        episodes: at least one, all of one frame size.
        camera: which one.
        columns: of the grid; one less where that leaves fewer places empty.
        min_size_px: least height of one episode.
    """
    length = max(len(episode) + 1 for episode in episodes)
    tiles = [_tile(episode, camera=camera, length=length, min_size_px=min_size_px) for episode in episodes]
    columns = _columns(len(tiles), most=columns)
    tiles += [np.broadcast_to(np.array(EMPTY, np.uint8), tiles[0].shape)] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[start : start + columns], axis=2) for start in range(0, len(tiles), columns)]
    return np.concatenate(rows, axis=1)


def _columns(count: int, *, most: int) -> int:
    if count <= most:
        return count
    return min(range(most, max(1, most - 2), -1), key=lambda columns: -count % columns)


def enlarge(frames: UInt8[np.ndarray, "T H W 3"], *, min_size_px: int) -> UInt8[np.ndarray, "T h w 3"]:
    """Repeat each pixel so often that the frames are at least `min_size_px` high."""
    factor = max(1, -(-min_size_px // frames.shape[1]))
    return frames.repeat(factor, axis=1).repeat(factor, axis=2)


def _tile(episode: Episode, *, camera: str, length: int, min_size_px: int) -> UInt8[np.ndarray, "T H W 3"]:
    frames = enlarge(episode.pixels[camera], min_size_px=min_size_px)
    frames = np.pad(frames, ((0, length - len(frames)), (0, 0), (0, 0), (0, 0)), mode="edge")
    tile = np.empty((length, frames.shape[1] + 2 * BORDER_PX, frames.shape[2] + 2 * BORDER_PX, 3), np.uint8)
    tile[:] = GREEN if episode.success else RED
    tile[:, BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = frames
    return tile
