"""The journal of a data set that is being recorded: one complete directory an episode, renamed into place.

A killed recorder leaves at most one unfinished temporary directory, which the next one removes.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from robossl.data.lerobot import layout
from robossl.data.lerobot.stats import Stats, column_stats, from_lists, image_stats, to_lists
from robossl.data.video.encode import encode_video
from robossl.errors import DataError

MAX_SAMPLED_FRAMES = 100  # of an episode, for the camera statistics
WriteVideo = Callable[[Path], Stats]


@dataclass(frozen=True, kw_only=True)
class JournalEpisode:
    """One finished episode that is not in a shard yet."""

    path: Path
    header: dict[str, Any]
    """Rate, robot and features of the data set; each episode carries them, so that none depends on another file."""
    index: int
    length: int
    task: str
    extras: dict[str, Any]
    stats: dict[str, Stats]

    def columns(self) -> dict[str, np.ndarray]:
        """Return the value columns, [L, D] each."""
        with np.load(self.path / "rows.npz") as rows:
            return {key: rows[key] for key in rows.files}

    def video(self, camera: str) -> Path:
        """Return the camera's own file."""
        return self.path / f"{camera}.mp4"


class Journal:
    """The finished episodes under `root`, in order."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clean(self, *, num_compacted: int) -> None:
        """Remove what a killed writer left: unfinished episodes, and those that are in a shard already."""
        for path in self.root.glob(".unfinished-*"):
            shutil.rmtree(path)
        for path in self.root.glob("episode-*"):
            if int(path.name.removeprefix("episode-")) < num_compacted:
                shutil.rmtree(path)
        if self.root.is_dir() and not self.paths():
            shutil.rmtree(self.root)

    def paths(self) -> list[Path]:
        """Return the directories of the finished episodes."""
        return sorted(self.root.glob("episode-*"))

    def episodes(self) -> Iterator[JournalEpisode]:
        """Read the finished episodes, lowest index first."""
        for path in self.paths():
            record = json.loads((path / "episode.json").read_text(encoding="utf-8"))
            yield JournalEpisode(path=path, **(record | {"stats": from_lists(record["stats"])}))

    def add(
        self,
        index: int,
        *,
        header: Mapping[str, Any],
        videos: Mapping[str, WriteVideo],
        columns: Mapping[str, np.ndarray],
        length: int,
        task: str,
        extras: Mapping[str, Any],
    ) -> None:
        """Write one episode; when this returns it survives a kill.

        Args:
            index: of the episode.
            header: see `JournalEpisode`.
            videos: camera to what writes its file and returns its statistics.
            columns, length, task, extras: as in `EpisodeWriter`.
        """
        unfinished = self.root / f".unfinished-{index:06d}-{os.getpid()}"
        unfinished.mkdir(parents=True)
        try:
            stats = {key: column_stats(column) for key, column in columns.items()}
            for camera, write in videos.items():
                stats[layout.camera_key(camera)] = write(unfinished / f"{camera}.mp4")
            arrays: dict[str, Any] = dict(columns)
            np.savez(unfinished / "rows.npz", **arrays)
            record = {"header": dict(header), "index": index, "length": length, "task": task, "extras": dict(extras)}
            record["stats"] = to_lists(stats)
            layout.write_json(unfinished / "episode.json", record)
            self._commit(unfinished, self.root / f"episode-{index:06d}")
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
            self._remove_if_empty()

    def _remove_if_empty(self) -> None:
        if not any(self.root.iterdir()):
            self.root.rmdir()

    def _commit(self, unfinished: Path, target: Path) -> None:
        try:
            os.rename(unfinished, target)
        except OSError as error:
            raise DataError(
                f"{target} is there already: another writer is recording into {self.root.parent}"
            ) from error


def encoding(
    frames: Iterable[np.ndarray], *, name: str, size: tuple[int, int], length: int, fps_hz: int, crf: int
) -> WriteVideo:
    """Return what encodes the frames of a camera; see `EpisodeWriter.append_rows`."""

    def write(path: Path) -> Stats:
        watched = _Watched(frames, name=name, size=size, length=length)
        encode_video(path, watched, fps_hz=fps_hz, crf=crf)
        return image_stats(np.stack(watched.samples))

    return write


class _Watched:
    """Passes the frames of a camera on, checks them, and keeps a sample for the statistics."""

    def __init__(self, frames: Iterable[np.ndarray], *, name: str, size: tuple[int, int], length: int) -> None:
        self.frames, self.name, self.shape, self.length = frames, name, (*size, 3), length
        self.every = max(1, -(-length // MAX_SAMPLED_FRAMES))
        self.samples: list[np.ndarray] = []

    def __iter__(self) -> Iterator[np.ndarray]:
        count = 0
        for frame in self.frames:
            if frame.dtype != np.uint8 or frame.shape != self.shape:
                expected = f"uint8 {self.shape} in this data set"
                raise DataError(
                    f"camera {self.name!r}, frame {count} is {frame.dtype} {frame.shape}, expected {expected}"
                )
            if count % self.every == 0:
                self.samples.append(frame)
            count += 1
            yield frame
        if count != self.length:
            raise DataError(f"camera {self.name!r} has {count} frames, the episode has {self.length} rows")
