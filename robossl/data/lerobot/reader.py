"""Read LeRobotDataset directories: where each episode's rows and frames lie."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from robossl.data.lerobot import layout
from robossl.data.lerobot.inside import lies_inside
from robossl.data.lerobot.stats import Stats, from_lists
from robossl.errors import DataError, closest

MAX_COLUMN_BYTES = 1 << 28
NUMBER_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


class LeRobotDirectory(ABC):
    """A LeRobotDataset on disk. `lengths` counts rows, which are frames.

    Args:
        root: the directory that holds `meta/info.json`.

    Raises:
        DataError: a part is missing, or the recording was not finalized.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.info = read_info(self.root)
        self.fps_hz = float(self.info["fps"])
        features: dict[str, dict[str, Any]] = self.info["features"]
        self._camera_keys = {
            layout.camera_name(key): key for key, feature in features.items() if feature["dtype"] == "video"
        }
        self.cameras = tuple(self._camera_keys)
        self.features = {
            key: int(np.prod(feature["shape"]))
            for key, feature in features.items()
            if feature["dtype"] in NUMBER_DTYPES and key not in layout.INDEX_COLUMNS
        }
        self._columns: OrderedDict[tuple[Path, str], np.ndarray] = OrderedDict()
        self._inside: set[Path] = set()

    @property
    @abstractmethod
    def lengths(self) -> np.ndarray:
        """Frames of each episode, int64 [N]."""

    @abstractmethod
    def video(self, episode: int, camera: str) -> tuple[Path, int]:
        """Return the file of a camera and the index in it of the episode's first frame."""

    @abstractmethod
    def task(self, episode: int) -> str:
        """Return the task as a sentence."""

    @abstractmethod
    def extras(self, episode: int) -> dict[str, Any]:
        """Return what else is recorded of an episode; empty when there is nothing."""

    @abstractmethod
    def rows(self, episode: int) -> tuple[Path, int]:
        """Return the parquet file of an episode and the row in it where the episode begins."""

    def values(self, episode: int, key: str) -> np.ndarray:
        """Return a column of an episode, float32 [L, D].

        Raises:
            DataError: there is no such column.
        """
        if key not in self.features:
            raise DataError(
                f"{self.root} has no {key!r}; it has {', '.join(self.features)}{closest(key, self.features)}"
            )
        path, start = self.rows(episode)
        rows = self._column(path, key).reshape(-1, self.features[key])[start : start + int(self.lengths[episode])]
        if len(rows) != self.lengths[episode]:
            raise DataError(f"{path} holds {len(rows)} rows of episode {episode}, meta/ says {self.lengths[episode]}")
        return rows

    def index_column(self, episode: int, key: str) -> np.ndarray:
        """Return an index column of an episode as it is stored, [L]; fewer rows where the file ends before.

        Raises:
            DataError: there is no such column.
        """
        path, start = self.rows(episode)
        return self._column(path, key)[start : start + int(self.lengths[episode])]

    def camera_key(self, camera: str) -> str:
        """Return the feature name of a camera of this data set.

        Raises:
            DataError: there is no such camera.
        """
        if camera not in self._camera_keys:
            raise DataError(f"{self.root} has no camera {camera!r}; it has {', '.join(self.cameras)}")
        return self._camera_keys[camera]

    def files(self) -> list[Path]:
        """Return the files that hold the content, in a fixed order."""
        found = [self.root / layout.INFO_PATH, self.root / layout.EXTRAS_PATH]
        for folder, ending in (("data", "parquet"), ("videos", "mp4")):
            found += sorted((self.root / folder).rglob(f"[!.]*.{ending}"))
        return [path for path in found if path.is_file()]

    def _checked(self, path: Path) -> Path:
        """Return a path that the metadata name, if it lies inside of the data set.

        Raises:
            DataError: it does not: metadata may come from anywhere.
        """
        if path not in self._inside:
            if not lies_inside(path, self.root):
                raise DataError(f"{self.root} names the file {path}, which lies outside of it: it is refused")
            self._inside.add(path)
        return path

    def _column(self, path: Path, key: str) -> np.ndarray:
        """Return a column of a file, flat; those that were read longest ago are forgotten beyond `MAX_COLUMN_BYTES`."""
        found = self._columns.pop((path, key), None)
        if found is None:
            found = _read_column(path, key)
            while self._columns and sum(kept.nbytes for kept in list(self._columns.values())) > MAX_COLUMN_BYTES:
                self._columns.popitem(last=False)
        self._columns[path, key] = found
        return found


class LeRobotV3(LeRobotDirectory):
    """LeRobotDataset v3: many episodes a file."""

    @cached_property
    def _episodes(self) -> pd.DataFrame:
        paths = sorted((self.root / "meta/episodes").glob("*/[!.]*.parquet"))
        if not paths:
            raise DataError(f"{self.root} has no meta/episodes/*/*.parquet: the data set is incomplete, copy it again")
        tables = [_without_stats(path) for path in paths]
        table = pa.concat_tables(tables, promote_options="default").to_pandas()
        return table.iloc[: self.info["total_episodes"]].reset_index(drop=True)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Frames of each episode, int64 [N]."""
        return self._episodes["length"].to_numpy(dtype=np.int64)

    def _number(self, episode: int, name: str) -> float:
        """Return a number of the table of episodes; out of an array, since a row of a DataFrame costs more than a clip.

        Raises:
            DataError: the table has no such column.
        """
        if name not in self._numbers:
            if name not in self._episodes.columns:
                raise DataError(f"meta/episodes of {self.root} has no {name!r}: the data set is damaged, copy it again")
            self._numbers[name] = self._episodes[name].to_numpy()
        return self._numbers[name][episode]

    @cached_property
    def _numbers(self) -> dict[str, np.ndarray]:
        return {}

    @cached_property
    def _file_starts(self) -> dict[tuple[int, int], int]:
        """Lowest global row of each data file; a row's place in its file is counted from there."""
        return self._episodes.groupby(["data/chunk_index", "data/file_index"])["dataset_from_index"].min().to_dict()

    def _file(self, key: str, chunk: int, file: int) -> Path:
        """Return the file of a camera, or that of the rows where `key` is empty; kept, since a path is slow to make."""
        if (key, chunk, file) not in self._files:
            template = self.info["video_path" if key else "data_path"]
            path = self.root / template.format(video_key=key, chunk_index=chunk, file_index=file)
            self._files[key, chunk, file] = self._checked(path)
        return self._files[key, chunk, file]

    @cached_property
    def _files(self) -> dict[tuple[str, int, int], Path]:
        return {}

    @cached_property
    def _extras(self) -> list[dict[str, Any]]:
        path = self.root / layout.EXTRAS_PATH
        return layout.read_json_lines(path) if path.is_file() else []

    @cached_property
    def _task_names(self) -> dict[int, str]:
        table = pd.read_parquet(self.root / layout.TASKS_PATH)
        names = table.get("task", table.index)  # writers disagree on where the sentence stands
        return dict(zip(table["task_index"].tolist(), map(str, names), strict=True))

    def video(self, episode: int, camera: str) -> tuple[Path, int]:
        """Return the file of a camera and the index in it of the episode's first frame."""
        key = self.camera_key(camera)
        chunk, file = (int(self._number(episode, f"videos/{key}/{name}_index")) for name in ("chunk", "file"))
        return self._file(key, chunk, file), round(self.from_timestamp_s(episode, camera) * self.fps_hz)

    def task(self, episode: int) -> str:
        """Return the task as a sentence."""
        return self._task_names[int(self.index_column(episode, "task_index")[0])]

    def extras(self, episode: int) -> dict[str, Any]:
        """Return seed, env_id, domain, variations and so on, where robossl recorded the episode."""
        return dict(self._extras[episode]) if self._extras else {}

    def rows(self, episode: int) -> tuple[Path, int]:
        """Return the parquet file of an episode and the row in it where the episode begins."""
        chunk, file = (int(self._number(episode, f"data/{name}_index")) for name in ("chunk", "file"))
        first = int(self._number(episode, "dataset_from_index")) - int(self._file_starts[chunk, file])
        return self._file("", chunk, file), first

    def stats(self, episode: int, key: str) -> Stats:
        """Return the statistics of a feature in one episode, read from disk."""
        chunk, file = (int(self._number(episode, f"meta/episodes/{name}_index")) for name in ("chunk", "file"))
        path = self._checked(self.root / layout.EPISODES_PATH.format(chunk_index=chunk, file_index=file))
        names = [name for name in pq.read_schema(path).names if name.startswith(f"stats/{key}/")]
        table = pq.read_table(path, columns=["episode_index", *names], filters=[("episode_index", "=", episode)])
        found = {name.rsplit("/", 1)[1]: table[name][0].as_py() for name in names}
        return from_lists({key: found})[key]

    def from_timestamp_s(self, episode: int, camera: str) -> float:
        """Return when the episode begins in its video file."""
        return float(self._number(episode, f"videos/{self.camera_key(camera)}/from_timestamp"))

    def named_tasks(self, episode: int) -> list[str]:
        """Return the sentences that the table of episodes names; empty where it names none."""
        row = self._episodes.iloc[episode]
        return [str(task) for task in row["tasks"]] if "tasks" in row.index else []


def read_info(root: Path) -> dict[str, Any]:
    """Read `meta/info.json`.

    Raises:
        DataError: there is none, it is not JSON, or episodes wait in the journal.
    """
    info, journal = stored_info(root), root / layout.JOURNAL_PATH
    waiting = [p for p in journal.glob("episode-*") if int(p.name[8:]) >= info.get("total_episodes", 0)]
    if waiting:
        raise DataError(
            f"{root} holds {len(waiting)} recorded episodes that were not finalized: run the command that "
            f"recorded them again, or EpisodeWriter(root, fps_hz=...).finalize()"
        )
    if not info:
        raise DataError(f"{root} is not a LeRobotDataset: it has no {layout.INFO_PATH}")
    return info


def stored_info(root: Path) -> dict[str, Any]:
    """Read `meta/info.json`, also while episodes wait in the journal; empty where there is none.

    Raises:
        DataError: it is not JSON, or lacks a part.
    """
    path = root / layout.INFO_PATH
    if not path.is_file():
        return {}
    info = layout.read_json_lines(path, whole=True)[0]
    missing = sorted({"codebase_version", "fps", "features", "total_episodes", "data_path"} - info.keys())
    if missing:
        raise DataError(f"{path} has no {', '.join(missing)}: the data set is damaged, copy it again")
    return info


def _read_column(path: Path, key: str) -> np.ndarray:
    try:
        column = pq.read_table(path, columns=[key])[key].combine_chunks()
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise DataError(f"can't read {key!r} from {path}: {error}") from error
    while pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        column = column.flatten()
    dtype = np.int64 if key in layout.INDEX_COLUMNS and key != "timestamp" else np.float32
    return column.to_numpy(zero_copy_only=False).astype(dtype)


def _without_stats(path: Path) -> pa.Table:
    try:
        file = pq.ParquetFile(path)
        return file.read([name for name in file.schema_arrow.names if not name.startswith("stats/")])
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"can't read {path} ({error}): the data set is damaged, copy it again") from error
