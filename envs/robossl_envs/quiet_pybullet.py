"""PyBullet, imported without the line that its C code prints to stderr, where only faults belong."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Send what C code prints to stderr meanwhile to nowhere."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _no_stderr():
    import pybullet

__all__ = ["pybullet"]
