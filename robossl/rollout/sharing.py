"""Arrays that go from one process to another through shared memory, and not byte by byte through a pipe."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import numpy as np

_ROOM = "/dev/shm"
"""Where shared memory lies on Linux."""
_SPARE = 4
"""Other processes put as much there at the same time: writing beyond its end would kill this one."""


@dataclass(frozen=True)
class Shared:
    """Arrays in one block, or, where there is no room for one, the arrays themselves."""

    name: str
    places: tuple[tuple[str, int, tuple[int, ...], str], ...]
    """Name, offset [bytes], shape and dtype of each array."""
    arrays: Mapping[str, np.ndarray]
    """Empty where there is a block."""

    def take(self) -> dict[str, np.ndarray]:
        """Return the arrays and free the block. Called once, in the process that they were sent to."""
        if not self.name:
            return dict(self.arrays)
        block = SharedMemory(self.name)
        try:
            return {
                name: np.ndarray(shape, dtype, buffer=block.buf, offset=offset).copy()
                for name, offset, shape, dtype in self.places
            }
        finally:
            block.close()
            block.unlink()


def share(arrays: Mapping[str, np.ndarray]) -> Shared:
    """Put arrays where another process takes them from."""
    num_bytes = sum(array.nbytes for array in arrays.values())
    if not num_bytes or not _has_room(num_bytes):
        return Shared("", (), arrays)
    block = SharedMemory(create=True, size=num_bytes)
    places, offset = [], 0
    for name, array in arrays.items():
        np.ndarray(array.shape, array.dtype, buffer=block.buf, offset=offset)[...] = array
        places.append((name, offset, array.shape, array.dtype.str))
        offset += array.nbytes
    block.close()
    return Shared(block.name, tuple(places), {})


def _has_room(num_bytes: int) -> bool:
    if sys.platform != "linux":
        return True
    try:
        free = os.statvfs(_ROOM)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize > _SPARE * num_bytes
