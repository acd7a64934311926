"""What was found out of a video file, kept in memory and in `$ROBOSSL_CACHE/videos`, named by the content."""

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from robossl.data.cache_dir import cache_dir
from robossl.data.video.kept import content_name, keep
from robossl.errors import VideoReadError

VERSION = 4  # raise it when a file would be judged differently


@dataclass(frozen=True, kw_only=True)
class FileCheck:
    """What is known of a file."""

    num_frames: int
    """Frames from the start that can be read: all of them, unless it is damaged."""
    num_promised: int
    """Frames that the file claims to hold."""
    fps_hz: float
    damage: str = ""
    """Why reading ends before the file does; empty for a whole one."""
    every_frame: bool = False
    """Whether every frame was decoded to know this."""
    problems: dict[str, str] = field(default_factory=dict)
    """Decoder to why it is not used for this file; an empty text where it tells the truth."""
    seek_s: dict[str, float] = field(default_factory=dict)
    """Decoder to the median time of a sampled seek."""
    difference: dict[str, float] = field(default_factory=dict)
    """Decoder to the largest difference of a sampled frame from PyAV's, mean over its pixels [grey levels]."""


_in_memory: dict[tuple[str, int, int], FileCheck] = {}


def known_check(path: Path) -> FileCheck | None:
    """Return what was found out of this content, or None if nobody has looked at it.

    Raises:
        VideoReadError: there is no such file.
    """
    if not path.is_file():
        raise VideoReadError(path, "there is no such file")
    key = _memory_key(path)
    if key not in _in_memory:
        try:
            _in_memory[key] = FileCheck(**json.loads(_record(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # never looked at, or written by another version
            return None
    return _in_memory[key]


def keep_check(path: Path, check: FileCheck) -> FileCheck:
    """Keep what was found out of a file, and return it."""
    _in_memory[_memory_key(path)] = check
    keep(_record(path), json.dumps(asdict(check)).encode(), about=path)
    return check


def _memory_key(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path.resolve()), status.st_mtime_ns, status.st_size


def _record(path: Path) -> Path:
    """Return where the result for this content is kept."""
    return cache_dir("videos") / f"{content_name(path, _versions())}.json"


@cache
def _versions() -> str:
    found = [f"v{VERSION}"]
    for name in ("av", "decord", "opencv-python", "torchcodec"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)
