"""Read LeRobotDataset v2.0 and v2.1 directories: one parquet and one video file an episode."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from robossl.data.lerobot import layout
from robossl.data.lerobot.reader import LeRobotDirectory, LeRobotV3, read_info
from robossl.errors import DataError


class LeRobotV21(LeRobotDirectory):
    """LeRobotDataset v2.x."""

    @cached_property
    def _episodes(self) -> list[dict[str, Any]]:
        path = self.root / "meta/episodes.jsonl"
        if not path.is_file():
            raise DataError(f"{path} is missing: the data set is incomplete, copy it again")
        return layout.read_json_lines(path)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Frames of each episode, int64 [N]."""
        return np.array([episode["length"] for episode in self._episodes], dtype=np.int64)

    def video(self, episode: int, camera: str) -> tuple[Path, int]:
        """Return the file of a camera; an episode begins at frame 0 of its own file."""
        return self._place("video_path", episode, video_key=self.camera_key(camera)), 0

    def task(self, episode: int) -> str:
        """Return the task as a sentence, empty when none is given."""
        return str(next(iter(self._episodes[episode].get("tasks", [])), ""))

    def extras(self, episode: int) -> dict[str, Any]:
        """Return the episode's line of `meta/episodes.jsonl`."""
        return dict(self._episodes[episode])

    def rows(self, episode: int) -> tuple[Path, int]:
        """Return the parquet file of an episode; it begins at row 0 of its own file."""
        return self._place("data_path", episode), 0

    def _place(self, template: str, episode: int, **names: str) -> Path:
        number = int(self._episodes[episode]["episode_index"])
        chunk = number // int(self.info.get("chunks_size", 1000))
        return self._checked(self.root / self.info[template].format(episode_chunk=chunk, episode_index=number, **names))


def open_directory(root: str | Path) -> LeRobotDirectory:
    """Open a LeRobotDataset directory of whichever version.

    Raises:
        DataError: it is none, or of a version that is not read.
    """
    version = str(read_info(Path(root))["codebase_version"])
    if version.startswith("v3."):
        return LeRobotV3(root)
    if version.startswith("v2."):
        return LeRobotV21(root)
    raise DataError(f"{root} is LeRobotDataset {version}, read are v2.x and v3.x: convert it with lerobot")
