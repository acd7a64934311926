"""One process at a time in a run directory."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from robossl.errors import ConfigError

PATIENCE_S = 10.0
"""How long the lock is waited for: workers of a process that was killed end a few seconds after it."""


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Keep other processes out of a directory; where its file system has no locks this does nothing.

    Raises:
        ConfigError: another one is in it.
    """
    held = os.open(path, os.O_RDONLY)
    try:
        _lock(held, path)
        yield
    finally:
        os.close(held)


def _lock(held: int, path: Path) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until_s:
                raise ConfigError(
                    f"another process is running in {path}; wait for it, or choose another --output"
                ) from None
        except OSError:  # network file systems
            return None
        time.sleep(0.2)
