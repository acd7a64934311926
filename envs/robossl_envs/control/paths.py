"""Shortest ways round obstacles: what the wheeled robot's expert plans with."""

from functools import lru_cache
from itertools import product

import numpy as np
from jaxtyping import Float

CELL_M = 0.05
HALF_CELLS = 18
"""The grid reaches so many cells from the middle of the room to each side."""
COST_INSIDE = 30.0
"""Of a metre where the robot would touch: dear and not forbidden, so that one pushed there finds its way out."""
MOVES = tuple(
    (dx, dy) for dx, dy in product(range(-2, 3), repeat=2) if np.gcd(dx, dy) == 1
)  # 16 directions, so that ways are at most 3 % longer than straight ones
FAR_M = 1e6
Points = tuple[tuple[float, float], ...]


def next_waypoint(
    start_m: Float[np.ndarray, "2"], goal_m: tuple[float, float], obstacles_m: Points, *, clearance_m: float
) -> Float[np.ndarray, "2"]:
    """Return the furthest point on the shortest way that the robot can go to straight.

    Args:
        start_m: Where the robot is.
        goal_m: Where it is to go.
        obstacles_m: Centres of the obstacles.
        clearance_m: Least distance of the robot's centre from an obstacle's.
    """
    lengths_m = _lengths(goal_m, obstacles_m, clearance_m)
    near_m = min(np.linalg.norm(start_m - center_m) for center_m in obstacles_m)
    free_m = min(clearance_m, float(near_m)) - 0.02
    waypoint_m = np.array(goal_m)
    if _is_free(start_m, waypoint_m, obstacles_m, free_m):
        return waypoint_m
    cell = _cell(start_m)
    waypoint_m = start_m
    while lengths_m[cell] > CELL_M:
        cell = min(_neighbours(cell), key=lambda other: lengths_m[other])
        center_m = (np.array(cell) - HALF_CELLS) * CELL_M
        if waypoint_m is not start_m and not _is_free(start_m, center_m, obstacles_m, free_m):
            break
        waypoint_m = center_m
    return waypoint_m


@lru_cache(maxsize=4)
def _lengths(goal_m: tuple[float, float], obstacles_m: Points, clearance_m: float) -> Float[np.ndarray, "X Y"]:
    """Return the length [m] of the shortest way to the goal from every cell, by relaxation until nothing changes."""
    axis_m = (np.arange(2 * HALF_CELLS + 1) - HALF_CELLS) * CELL_M
    x_m, y_m = np.meshgrid(axis_m, axis_m, indexing="ij")
    near_m = np.min([np.hypot(x_m - x, y_m - y) for x, y in obstacles_m], axis=0)
    cost = np.where(near_m < clearance_m, COST_INSIDE, 1.0)
    steps_m = [CELL_M * np.hypot(*move) * (cost + _shifted(cost, move)) / 2 for move in MOVES]
    lengths_m = np.full(cost.shape, FAR_M)
    lengths_m[_cell(np.array(goal_m))] = 0.0
    while True:
        over_m = [_shifted(lengths_m, move) + step_m for move, step_m in zip(MOVES, steps_m, strict=True)]
        shorter_m = np.minimum(lengths_m, np.min(over_m, axis=0))
        if np.array_equal(shorter_m, lengths_m):
            return lengths_m
        lengths_m = shorter_m


def _shifted(values: Float[np.ndarray, "X Y"], move: tuple[int, int]) -> Float[np.ndarray, "X Y"]:
    """Return each cell's neighbour's value; beyond the edge nothing is near."""
    size = len(values)
    padded = np.full((size + 4, size + 4), FAR_M)
    padded[2:-2, 2:-2] = values
    return padded[2 + move[0] : 2 + move[0] + size, 2 + move[1] : 2 + move[1] + size]


def _cell(position_m: Float[np.ndarray, "2"]) -> tuple[int, int]:
    x, y = np.clip(np.round(position_m / CELL_M) + HALF_CELLS, 0, 2 * HALF_CELLS).astype(int)
    return int(x), int(y)


def _neighbours(cell: tuple[int, int]) -> list[tuple[int, int]]:
    around = [(cell[0] + dx, cell[1] + dy) for dx, dy in MOVES]
    return [(x, y) for x, y in around if 0 <= x <= 2 * HALF_CELLS and 0 <= y <= 2 * HALF_CELLS]


def _is_free(
    start_m: Float[np.ndarray, "2"], end_m: Float[np.ndarray, "2"], obstacles_m: Points, clearance_m: float
) -> bool:
    """Tell whether the straight way keeps its distance from every obstacle."""
    way_m = end_m - start_m
    for center_m in np.array(obstacles_m):
        along = np.clip((center_m - start_m) @ way_m / max(float(way_m @ way_m), 1e-9), 0.0, 1.0)
        if np.linalg.norm(start_m + along * way_m - center_m) < clearance_m:
            return False
    return True
