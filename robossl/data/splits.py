"""Which episodes are for training and which for testing: fixed by a hash of the episode's name."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64

from robossl.config.env import HELDOUT
from robossl.data.sources import EpisodeSource
from robossl.errors import DataError

TEST_FRACTION = 0.2
FEW_KEYS = 100
"""With fewer origins a fixed share is taken: chance would leave 30 episodes with 3 for testing as soon as with 12."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Episode numbers of one source."""

    train: Int64[np.ndarray, " N"]
    test: Int64[np.ndarray, " M"]


def split_of(key: str, *, test_fraction: float = TEST_FRACTION) -> Literal["train", "test"]:
    """Return the side of an episode. It stays there when episodes are added, and at every larger fraction."""
    return "test" if _position(key) < test_fraction else "train"


def split_episodes(source: EpisodeSource, *, test_fraction: float = TEST_FRACTION) -> Split:
    """Split a source by `episode_key`, so that episodes of one layout or one file stay together.

    Many keys are split by `split_of`, each for itself. Of fewer than `FEW_KEYS` the first in the order of their hashes
    are for testing, as many as `test_fraction` says; there, one near the border may move when episodes are added. Both
    sides get an episode.

    Raises:
        DataError: the fraction is not between 0 and 1, or all episodes share one key.
    """
    if not 0 < test_fraction < 1:
        raise DataError(f"test_fraction={test_fraction} must lie between 0 and 1")
    keys = [source.episode_key(episode) for episode in range(len(source.lengths))]
    ordered = sorted(set(keys), key=_position)
    if len(ordered) < 2:
        raise DataError(f"{len(keys)} episodes of one origin can't be split for testing: at least two are needed")
    num_test = round(test_fraction * len(ordered))
    if len(ordered) >= FEW_KEYS:
        num_test = sum(split_of(key, test_fraction=test_fraction) == "test" for key in ordered)
    test_keys = set(ordered[: min(max(1, num_test), len(ordered) - 1)])
    in_test = np.array([key in test_keys for key in keys])
    return Split(train=np.flatnonzero(~in_test), test=np.flatnonzero(in_test))


def refuse_heldout(source: EpisodeSource, *, name: str | Path) -> None:
    """Refuse to train on episodes of a held-out domain: what is measured there would mean nothing any more.

    Raises:
        DataError: an episode was recorded in one.
    """
    for episode in range(len(source.lengths)):
        domain = str(source.episode_metadata(episode).get("domain", ""))
        if domain.startswith(HELDOUT):
            raise DataError(
                f"{name} was recorded in the domain {domain!r}, where encoders and policies are only measured: "
                "train on data of another domain"
            )


def _position(key: str) -> float:
    """Return a number in [0, 1) that is spread evenly over keys."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
