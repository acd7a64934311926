"""A folder of ordinary videos as an episode source."""

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from robossl.data.digest import digest_files
from robossl.data.shots import Shots, shots_of
from robossl.data.video.audio import has_audio, read_audio
from robossl.data.video.checked_reader import CheckedReader
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
    path and the reason. Shots of one file share its `episode_key`.

    Args:
        root: a folder, searched recursively in the order of names, or one video file.
        exclude: folders that are left out.
        damaged: "strict" leaves damaged files out, "keep_prefix" takes the frames before the damage; `cut` holds the
            path and the reason then.
        shots: "split" makes an episode of each shot of a file, as hard cuts part them (`robossl.data.shots`); for that
            each file is decoded once, small, and what was found kept by its content. "keep" looks for no cuts.

    Raises:
        DataError: there is no video, or none that can be read.
    """

    cameras: tuple[str, ...] = ("video",)

    def __init__(
        self,
        root: str | Path,
        *,
        exclude: Sequence[Path] = (),
        damaged: Damaged = "strict",
        shots: Shots = "keep",
    ) -> None:
        self.root = Path(root)
        self.skipped: dict[Path, str] = {}
        self.cut: dict[Path, str] = {}
        self._readers = Readers(damaged=damaged)
        self._scaling = Readers(damaged=damaged, decoder="pyav")  # which scales while it decodes
        self.features: dict[str, int] = {}
        opened: dict[Path, CheckedReader] = {}
        for path in video_files(self.root, exclude=exclude):
            try:
                reader = open_video(path, damaged=damaged)
            except VideoReadError as error:
                self.skipped[path] = str(error)
                continue
            if reader.damage:
                self.cut[path] = f"{path}: {reader.num_frames} frames kept, then {reader.damage}"
            opened[path] = reader
        if not opened:
            reason = next(iter(self.skipped.values()))
            raise DataError(f"{root} has no video that can be read ({len(self.skipped)} skipped; {reason})")
        for reason in self.skipped.values():
            logger.warning("skipped: %s", reason)
        for reason in self.cut.values():
            logger.warning("cut short: %s", reason)
        found = shots_of(list(opened)) if shots == "split" else [[(0, one.num_frames)] for one in opened.values()]
        spans = [(path, *span) for path, spans in zip(opened, found, strict=True) for span in spans]
        self.paths = [path for path, _, _ in spans]
        """The file of each episode."""
        self.starts: Int64[np.ndarray, " N"] = np.array([start for _, start, _ in spans], dtype=np.int64)
        """Number of its first frame there."""
        self.lengths: Int64[np.ndarray, " N"] = np.array([stop for _, _, stop in spans], dtype=np.int64) - self.starts
        self.rates_hz = np.array([opened[path].fps_hz for path in self.paths])
        self.fps_hz = float(np.median([reader.fps_hz for reader in opened.values()]))

    @cached_property
    def digest(self) -> str:
        """Digest of the files."""
        files = [
            file for path in dict.fromkeys(self.paths) for file in (numbered_images(path) if path.is_dir() else [path])
        ]
        return digest_files(files, root=self.root if self.root.is_dir() else self.root.parent)

    def frames(self, episode: int, indices: Indices, camera: str = "video") -> UInt8[np.ndarray, "n C H W"]:
        """Return frames; see `EpisodeSource.frames`."""
        path, first = self.video(episode, camera)
        return self._readers[path].read(self._inside(episode, indices) + first)

    def scaled_frames(
        self, episode: int, indices: Indices, camera: str, size: tuple[int, int]
    ) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at a size; see `ScalingSource.scaled_frames`."""
        path, first = self.video(episode, camera)
        return self._scaling[path].read_scaled(self._inside(episode, indices) + first, size)

    def video(self, episode: int, camera: str = "video") -> tuple[Path, int]:
        """Return the file; see `ScalingSource.video`."""
        if camera not in self.cameras:
            raise DataError(f"{self.root} has no camera {camera!r}; a folder of videos has 'video'")
        return self.paths[episode], int(self.starts[episode])

    def has_audio(self, episode: int) -> bool:
        """Return whether the file holds sound."""
        return has_audio(self.paths[episode])

    def audio(self, episode: int, indices: Indices, *, rate_hz: int = 16_000) -> Float32[np.ndarray, " n"]:
        """Return the sound from the first of these frames until the last one has ended, see `read_audio`.

        As many frames of a steady video have as many samples, wherever they lie.

        Raises:
            VideoReadError: the file has no sound, or it can't be decoded.
            DataError: an index is outside of the episode.
        """
        numbers = self._inside(episode, indices) + self.starts[episode]
        first, last = int(numbers.min()), int(numbers.max())
        times_s, frame_s = self._readers[self.paths[episode]].times_s, 1 / float(self.rates_hz[episode])
        start_s = float(times_s[first])
        stop_s = start_s + (last + 1 - first) * frame_s if self.is_steady(episode) else float(times_s[last]) + frame_s
        return read_audio(self.paths[episode], start_s, stop_s, rate_hz=rate_hz)

    def _inside(self, episode: int, indices: Indices) -> Int64[np.ndarray, " n"]:
        numbers, length = np.asarray(indices, dtype=np.int64), int(self.lengths[episode])
        outside = numbers[(numbers < 0) | (numbers >= length)]
        if len(outside):  # a whole file would be asked for it and refuse, but a shot is not all of its file
            raise VideoReadError(self.paths[episode], f"the episode has frames 0 to {length - 1}", int(outside[0]))
        return numbers

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Refuse: plain video has no numbers."""
        raise DataError(f"{self.root} has no {key!r}: it is plain video, without numbers")

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return the file's path below the folder, its own rate, and where a later shot begins."""
        known = {"path": self.episode_key(episode), "fps_hz": float(self.rates_hz[episode]), "task": ""}
        return known | ({"first_frame": int(self.starts[episode])} if self.starts[episode] else {})

    def episode_key(self, episode: int) -> str:
        """Return the file's path below the folder."""
        path = self.paths[episode]
        return path.relative_to(self.root).as_posix() if path != self.root else path.name

    def times_s(self, episode: int) -> Float64[np.ndarray, " n"]:
        """Return when each frame appears, counted from the first one."""
        start = int(self.starts[episode])
        times_s = self._readers[self.paths[episode]].times_s[start : start + int(self.lengths[episode])]
        return times_s - times_s[0]

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
