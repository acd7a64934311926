"""A folder of ordinary videos as an episode source."""

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from robossl.data.digest import digest_files
from robossl.data.video import open_video
from robossl.data.video.reader import Indices
from robossl.data.video.readers import Readers
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
logger = logging.getLogger(__name__)


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
                continue
            self.paths.append(path)
            lengths.append(num_frames)
            rates.append(rate)
        if not self.paths:
            reason = next(iter(self.skipped.values()))
            raise DataError(f"{root} has no video that can be read ({len(self.skipped)} skipped; {reason})")
        for reason in self.skipped.values():
            logger.warning("skipped: %s", reason)
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
