"""How many threads decode."""

import os

MAX_THREADS = 8


def num_threads() -> int:
    """Return how many threads decode: one a core, since each has a decoder of its own."""
    return min(MAX_THREADS, len(os.sched_getaffinity(0)))
