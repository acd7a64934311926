"""Record episodes as a LeRobotDataset v3 directory, safe against a kill at any instant."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from robossl.data.lerobot import layout
from robossl.data.lerobot.compact import compact
from robossl.data.lerobot.copying import copying, stored_columns
from robossl.data.lerobot.header import feature_difference, robots_differ, stored_header, value_features, with_names
from robossl.data.lerobot.journal import Journal, WriteVideo, encoding
from robossl.data.lerobot.reader import LeRobotV3
from robossl.data.lerobot.rows import check_columns, episode_columns, episode_extras, plain
from robossl.data.video.encode import CRF
from robossl.errors import DataError
from robossl.types import Episode

_OWN = (layout.JOURNAL_PATH, "robossl")
"""What a data set without an episode may hold: the journal, and the record of the run that fills it."""


def refuse_foreign(root: Path) -> None:
    """Refuse a directory that holds other things than a data set, finished or begun.

    Raises:
        DataError: it does.
    """
    found = sorted(path.name for path in root.glob("*") if path.name not in _OWN)
    begun = (root / layout.INFO_PATH).is_file() or any(True for _ in Journal(root / layout.JOURNAL_PATH).episodes())
    if found and not begun:
        raise DataError(f"{root} holds {found[0]} but is no data set: choose a new directory")


class EpisodeWriter:
    """Writes episodes below `root`; opening a directory that holds episodes goes on after the last one.

    `append` puts each finished episode into a journal, complete with its own video files: what it returned from
    survives a kill. `finalize` joins the journal into the shards that lerobot reads; more episodes may follow and be
    finalized too.

    Args:
        root: the data set directory.
        fps_hz: frames a second, a whole number since LeRobotDataset holds no other.
        robot_type: a name for `meta/info.json`.
        crf: video quality of new episodes, 0 (lossless) to 51.
        names: feature name to the names of its numbers, for `meta/info.json`; copies bring their own.

    Raises:
        DataError: `root` holds something else, or a data set of another rate or robot.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        fps_hz: float,
        robot_type: str | None = None,
        crf: int = CRF,
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if fps_hz != int(fps_hz) or fps_hz <= 0:
            raise DataError(f"fps_hz={fps_hz} can't be stored: LeRobotDataset takes a whole number above 0")
        self.root, self.fps_hz, self.robot_type, self.crf = Path(root), int(fps_hz), robot_type, crf
        self._names = names or {}
        self._journal = Journal(self.root / layout.JOURNAL_PATH)
        self._features: dict[str, Any] | None = None  # known from the first episode on
        self._num_compacted = 0
        self._resume()
        self._num_episodes = self._num_compacted + len(self._journal.paths())

    @property
    def num_episodes(self) -> int:
        """The number of episodes on disk, finalized or not."""
        return self._num_episodes

    def append(self, episode: Episode) -> int:
        """Store an episode and return its index.

        Raises:
            DataError: an array has another shape or dtype than the type says, or than the episodes before; nothing is
                written then.
        """
        columns = episode_columns(episode)
        if episode.fps_hz != self.fps_hz:
            raise DataError(f"episode.fps_hz is {episode.fps_hz}, this data set has {self.fps_hz}")
        for camera, frames in episode.pixels.items():
            if frames.ndim != 4 or len(frames) != len(episode) + 1:
                expected = f"[{len(episode) + 1}, H, W, 3]"
                raise DataError(f"episode.pixels[{camera!r}] has the shape {frames.shape}, expected {expected}")
        sizes = {camera: frames.shape[1:3] for camera, frames in episode.pixels.items()}
        extras = episode_extras(episode)
        return self.append_rows(frames=episode.pixels, sizes=sizes, columns=columns, task=episode.task, extras=extras)

    def append_rows(
        self,
        *,
        frames: Mapping[str, Iterable[np.ndarray]],
        sizes: Mapping[str, tuple[int, int]],
        columns: Mapping[str, np.ndarray],
        task: str,
        extras: Mapping[str, Any],
        length: int | None = None,
    ) -> int:
        """Store an episode given as rows; for footage, whose frames need not be in memory all at once.

        Args:
            frames: camera to frames, uint8 [H, W, 3] each.
            sizes: camera to (H, W).
            columns: feature name to values [L, D].
            task: the task as a sentence.
            extras: anything else that JSON can hold; comes back from `episode_metadata`.
            length: L, needed only when there are no columns.

        Returns:
            The index of the episode.

        Raises:
            DataError: as `append`.
        """
        num_rows = length if length is not None else len(next(iter(columns.values())))
        if not frames:
            raise DataError("episode has no camera: at least one is needed")
        if num_rows > layout.SHARD_DURATION_S * self.fps_hz:
            limit = f"{layout.SHARD_DURATION_S:.0f} s"
            raise DataError(
                f"episode of {num_rows} rows is longer than {limit}, where float32 timestamps blur: split it"
            )
        videos = {
            camera: encoding(
                images,
                name=camera,
                size=(int(sizes[camera][0]), int(sizes[camera][1])),
                length=num_rows,
                fps_hz=self.fps_hz,
                crf=self.crf,
            )
            for camera, images in frames.items()
        }
        names = self._names
        return self._store(videos, sizes=sizes, columns=columns, names=names, task=task, extras=extras, length=num_rows)

    def append_copy(self, directory: LeRobotV3, episode: int, *, extras: Mapping[str, Any]) -> int:
        """Store an episode of another data set of robossl's, its video copied bit for bit and not encoded again.

        Args:
            directory: the other data set.
            episode: its index there.
            extras: what `directory.extras` shall be here.

        Returns:
            The index of the episode here.

        Raises:
            DataError: it has other features or another rate, or was not written by robossl.
        """
        if directory.fps_hz != self.fps_hz:
            raise DataError(f"{directory.root} has {directory.fps_hz:g} frames a second, {self.root} {self.fps_hz}")
        columns = stored_columns(directory, episode)
        sizes = {
            camera: tuple(directory.info["features"][directory.camera_key(camera)]["shape"][:2])
            for camera in directory.cameras
        }
        videos = {camera: copying(directory, episode, camera) for camera in directory.cameras}
        length, task = int(directory.lengths[episode]), directory.task(episode)
        names = {key: layout.feature_names(directory.info["features"][key]) for key in columns}
        try:
            return self._store(
                videos, sizes=sizes, columns=columns, names=names, task=task, extras=extras, length=length
            )
        except DataError as error:
            raise DataError(f"episode {episode} of {directory.root} can't go into {self.root}: {error}") from error

    def _store(
        self,
        videos: Mapping[str, WriteVideo],
        *,
        sizes: Mapping[str, tuple[int, int]],
        columns: Mapping[str, np.ndarray],
        names: Mapping[str, Sequence[str]],
        task: str,
        extras: Mapping[str, Any],
        length: int,
    ) -> int:
        check_columns(columns, length)
        features = _describe(columns, sizes, fps_hz=self.fps_hz, names=names)
        if found := feature_difference(features, self._features or features):
            raise DataError(found)
        features = with_names(features, self._features or {})
        index = self._num_episodes
        self._journal.add(
            index,
            header=self._header(features),
            videos=videos,
            columns=columns,
            length=length,
            task=task,
            extras=plain(extras),
        )
        self._features = features
        self._num_episodes += 1
        return index

    def extras(self) -> list[dict[str, Any]]:
        """Return the extras of every episode on disk, finalized or not, in order."""
        path = self.root / layout.EXTRAS_PATH
        lines = path.read_text(encoding="utf-8").splitlines()[: self._num_compacted] if path.is_file() else []
        return [json.loads(line) for line in lines] + [episode.extras for episode in self._journal.episodes()]

    def finalize(self) -> Path:
        """Join the journal into shards and write `meta/`; a kill in between loses nothing, calling it again finishes.

        Returns:
            The data set directory.

        Raises:
            DataError: there is no episode.
        """
        if self._features is None or self._num_episodes == 0:
            raise DataError(f"{self.root} has no episodes to finalize")
        if self._num_episodes > self._num_compacted:
            episodes = list(self._journal.episodes())
            for episode in episodes:  # those before a kill may bring names that `meta/info.json` lacks
                self._features = with_names(self._features, episode.header["features"])
            compact(self.root, episodes, features=self._features, fps_hz=self.fps_hz, robot_type=self.robot_type)
            self._num_compacted = self._num_episodes
        self._journal.clean(num_compacted=self._num_compacted)
        return self.root

    def __enter__(self) -> Self:
        """Return the writer; leaving the block without an error finalizes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finalize, unless an error is on its way or there is nothing."""
        if kind is None and self._num_episodes:
            self.finalize()

    def _resume(self) -> None:
        known = stored_header(self.root)
        if not known:
            refuse_foreign(self.root)
            self._journal.clean(num_compacted=0)
            return
        if known["codebase_version"] != layout.CODEBASE_VERSION:
            raise DataError(f"{self.root} is LeRobotDataset {known['codebase_version']}, only v3.0 is written")
        if "total_episodes" in known and "robossl_num_files" not in known:  # new shards would overwrite its own
            raise DataError(
                f"{self.root} was not written by robossl and can't be added to: "
                f"import it into a new directory with robossl import"
            )
        if known["fps"] != self.fps_hz:
            raise DataError(f"{self.root} has {known['fps']} frames a second, this writer {self.fps_hz}")
        stored = known.get("robot_type")
        if robots_differ(self.robot_type, stored):
            raise DataError(
                f"{self.root} holds episodes of the robot {stored!r}, these are of {self.robot_type!r}: "
                f"choose another directory"
            )
        self._features = value_features(known)
        self.robot_type = stored
        self._num_compacted = known.get("total_episodes", 0)
        self._journal.clean(num_compacted=self._num_compacted)

    def _header(self, features: dict[str, Any]) -> dict[str, Any]:
        header = {"codebase_version": layout.CODEBASE_VERSION, "fps": self.fps_hz, "robot_type": self.robot_type}
        return header | {"features": features}


def _describe(
    columns: Mapping[str, np.ndarray],
    sizes: Mapping[str, tuple[int, int]],
    *,
    fps_hz: int,
    names: Mapping[str, Sequence[str]],
) -> dict[str, dict[str, Any]]:
    values = {
        key: layout.value_feature(column.dtype.name, column.shape[1], names.get(key, ()))
        for key, column in columns.items()
    }
    videos = {
        layout.camera_key(camera): layout.video_feature(int(height), int(width), fps_hz=fps_hz)
        for camera, (height, width) in sizes.items()
    }
    return videos | values
