"""An episode as rows: the columns of LeRobotDataset, checked by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from robossl.data.lerobot import layout
from robossl.errors import DataError
from robossl.types import Episode


def episode_columns(episode: Episode) -> dict[str, np.ndarray]:
    """Return the value columns of an episode, each [L+1, D]; the last row repeats with a zero action.

    The control step that ended the episode is row L-1; the flags `next.done`, `next.success` and `next.truncated` stand
    there and stay on in the last row.

    Raises:
        DataError: an array has another length, rank or dtype than `robossl.types.Episode` says.
    """
    steps = len(episode)
    if steps == 0:
        raise DataError("episode has no actions: at least one control step is needed")
    columns = {
        layout.STATE: _checked("proprio", episode.proprio, steps + 1, 2),
        layout.ENVIRONMENT_STATE: _checked("environment_state", episode.environment_state, steps + 1, 2),
        layout.VISUAL_STATE: _checked("visual_state", episode.visual_state, steps + 1, 2),
        layout.ACTION: _padded(_checked("actions", episode.actions, steps, 2)),
        layout.REWARD: _padded(_checked("rewards", episode.rewards, steps, 1)[:, None]),
    }
    if episode.intended_actions is not None:
        columns[layout.INTENDED_ACTION] = _padded(_checked("intended_actions", episode.intended_actions, steps, 2))
    flags = {
        layout.DONE: episode.terminated or episode.truncated,
        layout.SUCCESS: episode.success,
        layout.TRUNCATED: episode.truncated,
    }
    for key, value in flags.items():
        column = np.zeros((steps + 1, 1), dtype=bool)
        column[-2:] = value
        columns[key] = column
    return {key: column for key, column in columns.items() if column.shape[1] > 0}


def episode_extras(episode: Episode) -> dict[str, Any]:
    """Return what lerobot has no place for, as plain values."""
    if_told = {
        "randomization": episode.randomization,
        "action_scale": episode.action_scale,
        "environment_state_names": episode.environment_state_names,
    }
    return {
        "seed": int(episode.seed),
        "env_id": episode.env_id,
        "domain": episode.domain,
        "renderer": episode.renderer,
        "task": episode.task,
        "goal": np.asarray(episode.goal, dtype=np.float64).tolist(),
        "terminated": bool(episode.terminated),
        "truncated": bool(episode.truncated),
        "success": bool(episode.success),
        "variations": plain(episode.variations),
    } | {name: plain(value) for name, value in if_told.items() if value is not None}


def check_columns(columns: Mapping[str, np.ndarray], num_rows: int) -> None:
    """Refuse columns that are not [num_rows, D] of a type that lerobot reads, or not finite."""
    for key, column in columns.items():
        if key in layout.INDEX_COLUMNS or "/" in key:
            raise DataError(
                f"column {key!r} can't be written: {sorted(layout.INDEX_COLUMNS)} and names with '/' are reserved"
            )
        if column.dtype.name not in layout.VALUE_DTYPES:
            raise DataError(f"column {key!r} is {column.dtype.name}, allowed are {', '.join(layout.VALUE_DTYPES)}")
        if column.ndim != 2 or len(column) != num_rows or column.shape[1] == 0:
            raise DataError(f"column {key!r} has the shape {column.shape}, expected ({num_rows}, D) with D > 0")
        if not np.isfinite(column).all():
            raise DataError(f"column {key!r} has values that are not finite in row {_first_bad_row(column)}")


def plain(value: Any) -> Any:
    """Turn numpy values, tuples and mappings into what JSON holds."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value


def _checked(name: str, array: np.ndarray, length: int, rank: int) -> np.ndarray:
    if array.dtype != np.float32:
        raise DataError(f"episode.{name} is {array.dtype}, expected float32")
    if array.ndim != rank or len(array) != length:
        raise DataError(f"episode.{name} has the shape {array.shape}, expected {rank} axes and {length} rows")
    return array


def _padded(array: np.ndarray) -> np.ndarray:
    return np.concatenate([array, np.zeros_like(array[:1])])


def _first_bad_row(column: np.ndarray) -> int:
    return int(np.flatnonzero(~np.isfinite(column).all(axis=1))[0])
