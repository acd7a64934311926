"""What was found out of a video file, kept in memory and in `$ROBOSSL_CACHE/videos`, named by the content."""

import hashlib
import json
import logging
import os
import tempfile
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from robossl.data.cache_dir import cache_dir
from robossl.errors import VideoReadError

logger = logging.getLogger(__name__)

VERSION = 4  # raise it when a file would be judged differently
_BLOCK, _NUM_BLOCKS = 1 << 16, 64


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
    record = _record(path)
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=record.parent, prefix=".", suffix=".json")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(check), file)
        os.replace(temporary, record)
    except OSError as error:
        logger.debug("what was found out about %s can't be kept (%s)", path, error)
    return check


def _memory_key(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path.resolve()), status.st_mtime_ns, status.st_size


def _record(path: Path) -> Path:
    """Return where the result for this content is kept: blocks spread over the file, its size and time of change."""
    status = path.stat()
    digest = hashlib.blake2b(f"{status.st_size} {status.st_mtime_ns} {_versions()}".encode(), digest_size=16)
    starts = np.linspace(0, max(0, status.st_size - _BLOCK), _NUM_BLOCKS).astype(np.int64)
    with path.open("rb") as file:
        for start in dict.fromkeys(starts.tolist()):
            file.seek(start)
            digest.update(file.read(_BLOCK))
    return cache_dir("videos") / f"{digest.hexdigest()}.json"


@cache
def _versions() -> str:
    found = [f"v{VERSION}"]
    for name in ("av", "decord", "opencv-python", "torchcodec"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)
