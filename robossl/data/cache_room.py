"""Folders of decoded frames on disk: built by one process at a time, bounded together, never removed while in use."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from robossl.errors import ConfigError, DataError

LIMIT = "ROBOSSL_CACHE_GB"
DEFAULT_LIMIT_GB = 50.0
RECORD = "cache.json"
"""In each folder; its time of change is that of the last use, and who reads the folder holds a lock on it."""


def limit_bytes() -> int:
    """Return how much all caches of a folder may take together: `$ROBOSSL_CACHE_GB`, by default 50.

    Raises:
        ConfigError: it is no positive number.
    """
    text = os.environ.get(LIMIT, str(DEFAULT_LIMIT_GB))
    with suppress(ValueError):
        if float(text) > 0:
            return int(float(text) * 1e9)
    raise ConfigError(f"{LIMIT}={text!r} must be a number above 0, in GB")


class Hold:
    """A cache that is in use: not removed as long as this object lives."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __del__(self) -> None:
        """Let it go."""
        os.close(self._descriptor)


def hold(folder: Path) -> Hold | None:
    """Mark a finished cache as used; None where it is not there."""
    try:
        descriptor = os.open(folder / RECORD, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    held = Hold(descriptor)
    with suppress(OSError):  # a file system without locks, or a cache that others own
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.utime(folder / RECORD)
    return held if (folder / RECORD).exists() else None  # removed between opening and locking


@contextmanager
def building(folder: Path) -> Iterator[Path | None]:
    """Give a temporary folder that becomes `folder` at the end, or None if another process has made it meanwhile.

    Whoever comes second waits. A process that is killed frees the lock, and the next one removes what it left.

    Raises:
        OSError: the place can't be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.parent / f".{folder.name}.lock"
    with lock.open("w") as held:
        with suppress(OSError):  # a file system without locks: then both build, and the first one is kept
            fcntl.flock(held, fcntl.LOCK_EX)
        try:
            if (folder / RECORD).exists():
                yield None
                return
            for left in (folder, *folder.parent.glob(f".{folder.name}-*")):
                shutil.rmtree(left, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            try:
                yield temporary
                _publish(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        finally:
            lock.unlink(missing_ok=True)


def make_room(parent: Path, needed: int) -> None:
    """Remove the caches that were used longest ago until `needed` bytes more are within the limit and on the disk.

    Raises:
        DataError: even then they are not.
    """
    limit = limit_bytes()
    if needed > limit:
        raise DataError(
            f"the decoded frames would take {needed / 1e9:.1f} GB, {LIMIT} allows {limit / 1e9:.1f}: "
            "raise it, choose a smaller image_size, or read the source with frames: stream"
        )
    found = sorted(parent.glob(f"*/{RECORD}"), key=lambda record: record.stat().st_mtime)
    sizes = {record.parent: _size(record.parent) for record in found}

    def left() -> int:
        return min(limit - sum(sizes.values()), shutil.disk_usage(parent).free) - needed

    for folder in list(sizes):
        if left() >= 0:
            return
        if _remove_unused(folder):
            del sizes[folder]
    if left() < 0:
        raise DataError(
            f"the decoded frames would take {needed / 1e9:.1f} GB, {-left() / 1e9:.1f} more than there is room for at "
            f"{parent}, beside caches that are in use: raise {LIMIT} or free the disk"
        )


def _publish(temporary: Path, folder: Path) -> None:
    try:
        os.rename(temporary, folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster, with the same content
            raise


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _remove_unused(folder: Path) -> bool:
    try:
        with (folder / RECORD).open(encoding="utf-8") as record:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    except OSError:  # in use, or not ours
        return False
    return True
