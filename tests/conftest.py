"""Shared by all tests. That this file is here puts `tests/` on the path, so that helpers such as `point_env` import."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch loads, and inherited by processes that tests start

import random
import signal
from collections.abc import Iterator

import numpy as np
import pytest
import torch

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell start with Ctrl-C ignored


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, which has a time limit of its own: no process is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is known of videos out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOSSL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _restore_random_state() -> Iterator[None]:
    """Give each test the same random state, and undo what it did to it."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    torch.manual_seed(0)
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    torch.set_rng_state(states[2])
