"""Episodes from anywhere behind one protocol: a LeRobot data set, a folder of videos, a weighted mixture."""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from robossl.data.digest import digest_files
from robossl.data.lerobot import layout, open_directory
from robossl.data.video import VideoReader, open_video
from robossl.data.video.reader import Indices
from robossl.errors import DataError, VideoReadError

VIDEO_ENDINGS = (
    ".mp4",
    ".mov",
    ".mkv",
    ".avi",
    ".webm",
    ".gif",
    ".m4v",
    ".flv",
    ".ts",
    ".mpeg",
    ".mpg",
    ".wmv",
    ".3gp",
)
MAX_OPEN_READERS = 8  # a decoder holds tens of MB; an unbounded cache of them grows with the data set
logger = logging.getLogger(__name__)


class EpisodeSource(Protocol):
    """N episodes of frames, with or without numbers beside them."""

    @property
    def lengths(self) -> Int64[np.ndarray, " N"]:
        """Frames of each episode."""
        ...

    @property
    def fps_hz(self) -> float:
        """Frames a second."""
        ...

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras; never empty."""
        ...

    @property
    def features(self) -> Mapping[str, int]:
        """Name of each column of numbers to its size D; empty for plain video."""
        ...

    @property
    def digest(self) -> str:
        """What the content is named by."""
        ...

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames of an episode by their numbers.

        Raises:
            DataError: an index is outside of the episode; as `VideoReadError`, where a frame can't be read.
        """
        ...

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Return rows of a column; the last row of an action repeats none: it is zero and follows no control step.

        Raises:
            DataError: there is no such column, or an index is outside of the episode.
        """
        ...

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return what is known of an episode beside its rows (seed, env_id, domain, variations, task, ...)."""
        ...

    def episode_key(self, episode: int) -> str:
        """Return the name that splits go by: equal for episodes that must not be parted."""
        ...


class Readers:
    """Open video files of one process, the least recently used closed first."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, VideoReader] = OrderedDict()

    def __getitem__(self, path: Path) -> VideoReader:
        """Return the reader of a file, opened when first asked for."""
        if path not in self._open:
            while len(self._open) >= MAX_OPEN_READERS:
                self._open.popitem(last=False)[1].close()
            self._open[path] = open_video(path)
        self._open.move_to_end(path)
        return self._open[path]

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the open files, which would not survive."""
        return {"_open": OrderedDict()}


class LeRobotSource:
    """A LeRobotDataset directory, v3 or v2.x.

    Args:
        root: the directory that holds `meta/info.json`.

    Raises:
        DataError: it is none, or was not finalized.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._directory = open_directory(root)
        if not self._directory.cameras:
            raise DataError(f"{root} has no video feature: a data set without pictures can't be used here")
        self.lengths = self._directory.lengths
        self.fps_hz = self._directory.fps_hz
        self.cameras = self._directory.cameras
        self.features = self._directory.features
        self.robot_type: str | None = self._directory.info.get("robot_type")
        self._readers = Readers()

    @cached_property
    def digest(self) -> str:
        """Digest of the files that hold the content."""
        return digest_files(self._directory.files(), root=self.root)

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames; see `EpisodeSource.frames`."""
        path, first = self._directory.video(episode, camera)
        numbers = _inside(indices, int(self.lengths[episode]), f"episode {episode} of {self.root}")
        return self._readers[path].read(numbers + first)

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Return rows; see `EpisodeSource.values`."""
        numbers = _inside(indices, int(self.lengths[episode]), f"episode {episode} of {self.root}")
        return self._directory.values(episode, key)[numbers]

    def names(self, key: str) -> tuple[str, ...]:
        """Return the names of a feature's numbers, or none where the data set does not name them."""
        names = self._directory.info["features"][key].get("names")
        if isinstance(names, dict):
            names = next(iter(names.values()), None)
        while isinstance(names, list) and len(names) == 1 and isinstance(names[0], list):
            names = names[0]  # older data sets nest the list once more
        return tuple(str(name) for name in names or ())

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return what robossl recorded, and the task."""
        return self._directory.extras(episode) | {"task": self._directory.task(episode)}

    def episode_key(self, episode: int) -> str:
        """Return env and seed, which fix the layout in every domain; else the footage's own file, else the number."""
        extras = self._directory.extras(episode)
        if "seed" in extras and "env_id" in extras:
            return f"{extras['env_id']}:{extras['seed']}"
        return str(extras.get("episode_key", f"episode {episode}"))


class VideoFolder:
    """Every video file below a folder (or one file) is an episode with the camera "video".

    A file that can't be read is left out: it is named in the log, and `skipped` holds its path and the reason.

    Args:
        root: a folder, searched recursively in the order of names, or one video file.
        exclude: folders that are left out.

    Raises:
        DataError: there is no video, or none that can be read.
    """

    cameras: tuple[str, ...] = ("video",)

    def __init__(self, root: str | Path, *, exclude: Sequence[Path] = ()) -> None:
        self.root = Path(root)
        self.skipped: dict[Path, str] = {}
        self.paths: list[Path] = []
        self._readers = Readers()
        self.features: dict[str, int] = {}
        lengths, rates = [], []
        for path in video_files(self.root, exclude=exclude):
            try:
                num_frames, rate = _probe(path)
            except VideoReadError as error:
                self.skipped[path] = str(error)
                logger.warning("skipped: %s", error)
                continue
            self.paths.append(path)
            lengths.append(num_frames)
            rates.append(rate)
        if not self.paths:
            raise DataError(
                f"{root} has no video that can be read ({len(self.skipped)} skipped: {_named(self.skipped)})"
            )
        self.lengths = np.array(lengths, dtype=np.int64)
        self.rates_hz = np.array(rates)
        self.fps_hz = float(np.median(self.rates_hz))

    @cached_property
    def digest(self) -> str:
        """Digest of the files."""
        return digest_files(self.paths, root=self.root if self.root.is_dir() else self.root.parent)

    def frames(self, episode: int, indices: Indices, camera: str = "video") -> UInt8[np.ndarray, "n C H W"]:
        """Return frames; see `EpisodeSource.frames`."""
        if camera not in self.cameras:
            raise DataError(f"{self.root} has no camera {camera!r}; a folder of videos has 'video'")
        return self._readers[self.paths[episode]].read(indices)

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Refuse: plain video has no numbers."""
        raise DataError(f"{self.root} has no {key!r}: it is plain video, without numbers")

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return the file's path below the folder and its own rate."""
        return {"path": self.episode_key(episode), "fps_hz": float(self.rates_hz[episode]), "task": ""}

    def episode_key(self, episode: int) -> str:
        """Return the file's path below the folder."""
        path = self.paths[episode]
        return path.relative_to(self.root).as_posix() if self.root.is_dir() else path.name


@dataclass(frozen=True)
class MixedSource:
    """Named sources with weights. One batch comes from one source, so each keeps its own cameras, sizes and rates."""

    sources: Mapping[str, EpisodeSource]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        """Refuse weights that don't fit.

        Raises:
            DataError: names differ, or a weight is not above 0.
        """
        if not self.sources or self.sources.keys() != self.weights.keys():
            raise DataError(
                f"sources {sorted(self.sources)} and weights {sorted(self.weights)} must have the same names"
            )
        for name, weight in self.weights.items():
            if not weight > 0:
                raise DataError(f"weight {weight} of source {name!r} must be above 0; leave the source out instead")

    @property
    def names(self) -> tuple[str, ...]:
        """Names in their order."""
        return tuple(self.sources)

    @property
    def probabilities(self) -> np.ndarray:
        """Chance of each source to give a batch, in the order of `names`; they sum to 1."""
        weights = np.array([self.weights[name] for name in self.names], dtype=np.float64)
        return weights / weights.sum()


def open_source(path: str | Path) -> EpisodeSource:
    """Open whatever lies at a path: a LeRobotDataset directory (v3 or v2.x), a folder of videos, or one video.

    Raises:
        DataError: there is nothing there, or nothing that can be read.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path} does not exist: give a data set directory, a folder of videos or a video file")
    if (path / layout.INFO_PATH).is_file() or (path / layout.JOURNAL_PATH).is_dir():
        return LeRobotSource(path)
    return VideoFolder(path)


def discover_sources(root: str | Path) -> dict[str, EpisodeSource]:
    """Open everything below a folder: each LeRobotDataset directory as a source of its own, all other videos as one.

    Returns:
        Sources by name: a data set's path below `root`, and "videos".

    Raises:
        DataError: as `open_source`.
    """
    root = Path(root)
    if not root.is_dir() or (root / layout.INFO_PATH).is_file():
        return {root.stem: open_source(root)}
    directories = sorted(path.parent.parent for path in root.rglob(layout.INFO_PATH))
    sources: dict[str, EpisodeSource] = {path.relative_to(root).as_posix(): LeRobotSource(path) for path in directories}
    endings = [path.suffix.lower() for path in root.rglob("*") if not any(path.is_relative_to(d) for d in directories)]
    if not directories or any(ending in VIDEO_ENDINGS for ending in endings):
        sources["videos"] = VideoFolder(root, exclude=directories)
    return sources


def video_files(root: Path, *, exclude: Sequence[Path] = ()) -> list[Path]:
    """Return the files below a folder whose names end like a video's, in the order of their paths.

    Raises:
        DataError: there is none.
    """
    if root.is_file():
        return [root]
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in VIDEO_ENDINGS and path.is_file())
    found = [path for path in found if not any(path.is_relative_to(folder) for folder in exclude)]
    if not found:
        raise DataError(f"{root} holds no video files; looked for {', '.join(VIDEO_ENDINGS)}")
    return found


def _probe(path: Path) -> tuple[int, float]:
    """Open a file and read its first and last frame, so that a cut or broken one is found now and not in training."""
    reader = open_video(path)
    try:
        reader.read([0, reader.num_frames - 1])
        return reader.num_frames, reader.fps_hz
    finally:
        reader.close()


def _inside(indices: Indices, length: int, where: str) -> np.ndarray:
    numbers = np.asarray(indices, dtype=np.int64)
    outside = numbers[(numbers < 0) | (numbers >= length)]
    if len(outside):
        raise DataError(f"index {outside[0]} is outside of {where}, which has rows 0 to {length - 1}")
    return numbers


def _named(skipped: Mapping[Path, str] | Sequence[Path]) -> str:
    names = [path.name for path in skipped]
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
