"""A data set with nothing wrong, and how to change its files. For tests of the doctor only."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from robossl.data.lerobot import EpisodeWriter

LENGTH, NUM = 100, 3
START = "videos/observation.images.front/from_timestamp"
ROWS, META = "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet"


def picture(episode: int, row: int, camera: str) -> np.ndarray:
    """A scene of its own for each camera and episode, with a block that moves."""
    rng = np.random.default_rng([episode, len(camera)])
    image = np.zeros((48, 64, 3), dtype=np.uint8)
    image[...] = (150, 60, 40) if camera == "front" else (40, 60, 150)
    image[:, 32:] = image[:, 32:] + np.uint8(60)
    place = rng.integers(0, 30)
    image[place : place + 12, 5:25] = rng.integers(100, 255, size=3)
    image[36:44, row // 2 : row // 2 + 10] = 250
    return image


def rows_of(episode: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(episode)
    phase = rng.uniform(0, 6, size=3)
    times = np.arange(LENGTH + 3)[:, None]
    path = 0.8 * np.sin(times / 9 + phase).astype(np.float32)
    return {"observation.state": path[:-3], "action": path[3:]}  # the state follows three frames later


def videos_of(episode: int) -> dict[str, list[np.ndarray]]:
    return {camera: [picture(episode, row, camera) for row in range(LENGTH)] for camera in ("front", "wrist")}


def write(root: Path, change: Callable[[int, dict, dict], None] = lambda *_: None, *, task: str = "reach") -> Path:
    with EpisodeWriter(root, fps_hz=20) as episodes:
        for episode in range(NUM):
            columns, frames = rows_of(episode), videos_of(episode)
            change(episode, columns, frames)
            sizes = dict.fromkeys(frames, (48, 64))
            extras = {"seed": episode, "env_id": "x"}
            episodes.append_rows(frames=frames, sizes=sizes, columns=columns, task=task, extras=extras)
    return root


def edit_info(root: Path, **values: object) -> None:
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | values))


def edit_column(root: Path, name: str, change: Callable[[np.ndarray], None], file: str = ROWS) -> None:
    table = pq.read_table(root / file)
    place = table.schema.get_field_index(name)
    kind = table.schema.field(name).type
    values = np.array(table[name].to_pylist())
    change(values)
    column = pa.array(list(values), type=kind)
    pq.write_table(table.set_column(place, table.schema.field(name), column), root / file)


def cut(path: Path, part: float = 0.7) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])


def video(root: Path, camera: str = "front") -> Path:
    return root / f"videos/observation.images.{camera}/chunk-000/file-000.mp4"
