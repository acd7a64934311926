"""A folder of ordinary videos as an episode source."""

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from robossl.data.digest import digest_files
from robossl.data.video.image_folder import numbered_images
from robossl.data.video.open import Damaged, open_video
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
MAX_DRIFT_FRAMES = 0.5
logger = logging.getLogger(__name__)


class VideoFolder:
    """Every video file and every folder of numbered pictures below a folder (or one of them) is an episode.

    The camera is called "video". A file that can't be read is left out: it is named in the log, and `skipped` holds its
    path and the reason.

    Args:
        root: a folder, searched recursively in the order of names, or one video file.
        exclude: folders that are left out.
        damaged: "strict" leaves damaged files out, "keep_prefix" takes the frames before the damage; `cut` holds the
            path and the reason then.

    Raises:
        DataError: there is no video, or none that can be read.
    """

    cameras: tuple[str, ...] = ("video",)

    def __init__(self, root: str | Path, *, exclude: Sequence[Path] = (), damaged: Damaged = "strict") -> None:
        self.root = Path(root)
        self.skipped: dict[Path, str] = {}
        self.cut: dict[Path, str] = {}
        self.paths: list[Path] = []
        self._readers = Readers(damaged=damaged)
        self._scaling = Readers(damaged=damaged, decoder="pyav")  # which scales while it decodes
        self.features: dict[str, int] = {}
        lengths, rates = [], []
        for path in video_files(self.root, exclude=exclude):
            try:
                reader = open_video(path, damaged=damaged)
            except VideoReadError as error:
                self.skipped[path] = str(error)
                continue
            if reader.damage:
                self.cut[path] = f"{path}: {reader.num_frames} frames kept, then {reader.damage}"
            self.paths.append(path)
            lengths.append(reader.num_frames)
            rates.append(reader.fps_hz)
        if not self.paths:
            reason = next(iter(self.skipped.values()))
            raise DataError(f"{root} has no video that can be read ({len(self.skipped)} skipped; {reason})")
        for reason in self.skipped.values():
            logger.warning("skipped: %s", reason)
        for reason in self.cut.values():
            logger.warning("cut short: %s", reason)
        self.lengths = np.array(lengths, dtype=np.int64)
        self.rates_hz = np.array(rates)
        self.fps_hz = float(np.median(self.rates_hz))

    @cached_property
    def digest(self) -> str:
        """Digest of the files."""
        files = [file for path in self.paths for file in (numbered_images(path) if path.is_dir() else [path])]
        return digest_files(files, root=self.root if self.root.is_dir() else self.root.parent)

    def frames(self, episode: int, indices: Indices, camera: str = "video") -> UInt8[np.ndarray, "n C H W"]:
        """Return frames; see `EpisodeSource.frames`."""
        return self._readers[self._path(episode, camera)].read(indices)

    def scaled_frames(
        self, episode: int, indices: Indices, camera: str, size: tuple[int, int]
    ) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at a size; see `ScalingSource.scaled_frames`."""
        return self._scaling[self._path(episode, camera)].read_scaled(indices, size)

    def _path(self, episode: int, camera: str) -> Path:
        if camera not in self.cameras:
            raise DataError(f"{self.root} has no camera {camera!r}; a folder of videos has 'video'")
        return self.paths[episode]

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Refuse: plain video has no numbers."""
        raise DataError(f"{self.root} has no {key!r}: it is plain video, without numbers")

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return the file's path below the folder and its own rate."""
        return {"path": self.episode_key(episode), "fps_hz": float(self.rates_hz[episode]), "task": ""}

    def episode_key(self, episode: int) -> str:
        """Return the file's path below the folder."""
        path = self.paths[episode]
        return path.relative_to(self.root).as_posix() if path != self.root else path.name

    def times_s(self, episode: int) -> Float64[np.ndarray, " n"]:
        """Return when each frame appears, counted from the first one."""
        return self._readers[self.paths[episode]].times_s

    def is_steady(self, episode: int) -> bool:
        """Return whether frame k appears k frame lengths after the first, give or take half of one."""
        times_s, rate_hz = self.times_s(episode), float(self.rates_hz[episode])
        return bool(np.abs(times_s * rate_hz - np.arange(len(times_s))).max() < MAX_DRIFT_FRAMES)


def video_files(root: Path, *, exclude: Sequence[Path] = ()) -> list[Path]:
    """Return the videos below a folder (and folders of numbered pictures) in the order of their paths.

    Raises:
        DataError: there is none.
    """
    if root.is_file() or numbered_images(root):
        return [root]
    found = sorted(_videos_below(root, exclude))
    if not found:
        raise DataError(f"{root} holds no video files; looked for {', '.join(VIDEO_ENDINGS)} and numbered pictures")
    return found


def has_videos(root: Path, *, exclude: Sequence[Path] = ()) -> bool:
    """Return whether there is a video below a folder."""
    return next(_videos_below(root, exclude), None) is not None


def _videos_below(root: Path, exclude: Sequence[Path]) -> Iterator[Path]:
    for path in root.rglob("*"):
        if not any(path.is_relative_to(folder) for folder in exclude) and _is_video(path):
            yield path


def _is_video(path: Path) -> bool:
    return bool(numbered_images(path)) if path.is_dir() else path.suffix.lower() in VIDEO_ENDINGS
