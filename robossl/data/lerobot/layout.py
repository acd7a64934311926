"""The one table of names of a LeRobotDataset v3 directory: files, columns and features."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from robossl.errors import DataError

CODEBASE_VERSION = "v3.0"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
INFO_PATH = "meta/info.json"
STATS_PATH = "meta/stats.json"
TASKS_PATH = "meta/tasks.parquet"
EXTRAS_PATH = "meta/robossl_episodes.jsonl"  # seed, domain, variations ...; lerobot ignores the file
JOURNAL_PATH = "journal"  # finished episodes that are not in a shard yet

CHUNK_SIZE = 1000
DATA_FILE_SIZE_MB = 100
VIDEO_FILE_SIZE_MB = 200
# lerobot keeps timestamps in float32, whose spacing passes its tolerance of 1e-4 s after 1024 s; half of that is safe
SHARD_DURATION_S = 500.0

CAMERA_PREFIX = "observation.images."
STATE = "observation.state"  # proprio
ENVIRONMENT_STATE = "observation.environment_state"
VISUAL_STATE = "observation.visual_state"
ACTION = "action"
INTENDED_ACTION = "intended_action"  # lerobot takes every name that begins with `action` for what a policy gives
REWARD = "next.reward"
DONE = "next.done"
SUCCESS = "next.success"
TRUNCATED = "next.truncated"

INDEX_COLUMNS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
VALUE_DTYPES = ("float32", "float64", "int64", "bool")  # what lerobot and rerun both read


def camera_key(camera: str) -> str:
    """Return the feature name of a camera: `front` -> `observation.images.front`."""
    return f"{CAMERA_PREFIX}{camera}"


def camera_name(key: str) -> str:
    """Return the camera of a feature name; a key without the usual prefix is its own name."""
    return key.removeprefix(CAMERA_PREFIX)


def video_feature(height: int, width: int, *, fps_hz: int) -> dict[str, Any]:
    """Describe a camera as `meta/info.json` wants it."""
    info = {
        "video.height": height,
        "video.width": width,
        "video.codec": "h264",
        "video.pix_fmt": "yuv420p",
        "video.is_depth_map": False,
        "video.fps": fps_hz,
        "video.channels": 3,
        "has_audio": False,
    }
    return {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"], "info": info}


def value_feature(dtype: str, dim: int, names: Sequence[str] = ()) -> dict[str, Any]:
    """Describe a column of `dim` numbers a row; names that are not one a number are left out."""
    return {"dtype": dtype, "shape": [dim], "names": list(names) if names and len(names) == dim else None}


def feature_names(feature: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a feature's numbers, or none where it does not name them.

    Writers put them into a list, a list within a list, a dict that holds the list, or a dict of name to place.
    """
    names = feature.get("names")
    if isinstance(names, dict):
        places = list(names.values())
        ordered = all(isinstance(place, int) for place in places)
        names = sorted(names, key=names.__getitem__) if ordered else places[0]
    while isinstance(names, list) and len(names) == 1 and isinstance(names[0], list):
        names = names[0]  # older data sets nest the list once more
    return tuple(map(str, names)) if isinstance(names, list) else ()


def index_features() -> dict[str, dict[str, Any]]:
    """Describe the columns that every data set has."""
    return {name: value_feature(dtype, 1) for name, dtype in INDEX_COLUMNS.items()}


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new content, never a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def read_json_lines(path: Path, *, whole: bool = False) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines file, or with `whole` the one of a JSON file.

    Raises:
        DataError: the file can't be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = [json.loads(part) for part in ([text] if whole else text.splitlines()) if part.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not JSON ({error}): the data set is damaged, copy it again") from error
    if not all(isinstance(one, dict) for one in found) or (whole and not found):
        raise DataError(f"{path} does not hold JSON objects: the data set is damaged, copy it again")
    return found


def write_json(path: Path, content: object) -> None:
    """Write JSON atomically."""
    write_atomic(path, json.dumps(content, indent=2) + "\n")
