"""Episodes from anywhere behind one protocol: a LeRobot data set, a folder of videos, a weighted mixture."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from robossl.data.digest import digest_files
from robossl.data.lerobot import layout, open_directory
from robossl.data.shots import Shots
from robossl.data.video.open import Damaged
from robossl.data.video.reader import Indices
from robossl.data.video.readers import Readers
from robossl.data.video_folder import VideoFolder, has_videos
from robossl.errors import DataError

__all__ = ["EpisodeSource", "LeRobotSource", "ScalingSource", "VideoFolder", "discover_sources", "open_source"]


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


class ScalingSource(EpisodeSource, Protocol):
    """Episodes in video files, whose frames can be had small at once."""

    def scaled_frames(
        self, episode: int, indices: Indices, camera: str, size: tuple[int, int]
    ) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at the size (H, W), about a grey level off `robossl.resize.resize` but faster; see `frames`."""
        ...

    def video(self, episode: int, camera: str) -> tuple[Path, int]:
        """Return the file that holds an episode, and the number of its first frame there."""
        ...


class LeRobotSource:
    """A LeRobotDataset directory, v3 or v2.x.

    Args:
        root: the directory that holds `meta/info.json`.

    Raises:
        DataError: it is none, or was not finalized.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.directory = open_directory(root)
        if not self.directory.cameras:
            raise DataError(f"{root} has no video feature: a data set without pictures can't be used here")
        self.lengths = self.directory.lengths
        self.fps_hz = self.directory.fps_hz
        self.cameras = self.directory.cameras
        self.features = self.directory.features
        self.robot_type: str | None = self.directory.info.get("robot_type")
        self._readers, self._scaling = Readers(), Readers(decoder="pyav")  # which scales while it decodes

    @cached_property
    def digest(self) -> str:
        """Digest of the files that hold the content."""
        return digest_files(self.directory.files(), root=self.root)

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames; see `EpisodeSource.frames`."""
        path, first = self.directory.video(episode, camera)
        numbers = _inside(indices, int(self.lengths[episode]), f"episode {episode} of {self.root}")
        return self._readers[path].read(numbers + first)

    def scaled_frames(
        self, episode: int, indices: Indices, camera: str, size: tuple[int, int]
    ) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at a size; see `ScalingSource.scaled_frames`."""
        path, first = self.directory.video(episode, camera)
        numbers = _inside(indices, int(self.lengths[episode]), f"episode {episode} of {self.root}")
        return self._scaling[path].read_scaled(numbers + first, size)

    def video(self, episode: int, camera: str) -> tuple[Path, int]:
        """Return the file; see `ScalingSource.video`."""
        return self.directory.video(episode, camera)

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Return rows; see `EpisodeSource.values`."""
        numbers = _inside(indices, int(self.lengths[episode]), f"episode {episode} of {self.root}")
        return self.directory.values(episode, key)[numbers]

    def names(self, key: str) -> tuple[str, ...]:
        """Return the names of a feature's numbers, or none where the data set does not name them."""
        return layout.feature_names(self.directory.info["features"][key])

    def dtype(self, key: str) -> str:
        """Return the type that a column is stored in, by its NumPy name; `values` gives float32 of all."""
        return str(self.directory.info["features"][key]["dtype"])

    def frame_size(self, camera: str) -> tuple[int, int]:
        """Return height and width [px] of a camera's frames."""
        height, width = self.directory.info["features"][self.directory.camera_key(camera)]["shape"][:2]
        return int(height), int(width)

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return what robossl recorded, and the task."""
        return self.directory.extras(episode) | {"task": self.directory.task(episode)}

    def episode_key(self, episode: int) -> str:
        """Return env and seed, which fix the layout in every domain; else the footage's own file, else the number."""
        extras = self.directory.extras(episode)
        if "seed" in extras and "env_id" in extras:
            return f"{extras['env_id']}:{extras['seed']}"
        return str(extras.get("episode_key", f"episode {episode}"))


def open_source(path: str | Path, *, damaged: Damaged = "strict", shots: Shots = "keep") -> LeRobotSource | VideoFolder:
    """Open whatever lies at a path: a LeRobotDataset directory (v3 or v2.x), a folder of videos, or one video.

    Args:
        path: where it lies.
        damaged: what becomes of damaged files in a folder of videos, see `VideoFolder`.
        shots: whether cuts part a video into episodes, see `VideoFolder`.

    Raises:
        DataError: there is nothing there, or nothing that can be read.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path} does not exist: give a data set directory, a folder of videos or a video file")
    if (path / layout.INFO_PATH).is_file() or (path / layout.JOURNAL_PATH).is_dir():
        return LeRobotSource(path)
    return VideoFolder(path, damaged=damaged, shots=shots)


def discover_sources(root: str | Path, *, shots: Shots = "keep") -> dict[str, LeRobotSource | VideoFolder]:
    """Open everything below a folder: each LeRobotDataset directory as a source of its own, all other videos as one.

    Args:
        root: the folder.
        shots: whether cuts part a video into episodes, see `VideoFolder`.

    Returns:
        Sources by name: a data set's path below `root`, and "videos".

    Raises:
        DataError: as `open_source`.
    """
    root = Path(root)
    if not root.is_dir() or (root / layout.INFO_PATH).is_file():
        return {root.stem: open_source(root, shots=shots)}
    directories = sorted(path.parent.parent for path in root.rglob(layout.INFO_PATH))
    sources: dict[str, LeRobotSource | VideoFolder] = {
        path.relative_to(root).as_posix(): LeRobotSource(path) for path in directories
    }
    if not directories or has_videos(root, exclude=directories):
        sources["videos"] = VideoFolder(root, exclude=directories, shots=shots)
    return sources


def _inside(indices: Indices, length: int, where: str) -> np.ndarray:
    numbers = np.asarray(indices, dtype=np.int64)
    outside = numbers[(numbers < 0) | (numbers >= length)]
    if len(outside):
        raise DataError(f"index {outside[0]} is outside of {where}, which has rows 0 to {length - 1}")
    return numbers
