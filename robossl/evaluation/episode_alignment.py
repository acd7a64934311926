"""How features line up episodes that do the same thing, without a label: frame by frame, one episode beside another."""

from itertools import permutations

import numpy as np
from jaxtyping import Float, Int64

MAX_EPISODES = 20
"""Compared with each other: their ordered pairs are 380."""


def kendall_tau(first: Float[np.ndarray, "n D"], second: Float[np.ndarray, "m D"]) -> float:
    """Return how well the order of frames is kept when each is replaced by its nearest neighbour in another episode.

    1 if the neighbours come in the same order, -1 if in the reverse, 0 if by chance; pairs of frames with one neighbour
    count as 0 (Dwibedi et al., Temporal cycle-consistency learning, 2019, arXiv 1904.07846).
    """
    n = len(first)
    nearest = _nearest(first, second)
    later = np.sign(nearest[None, :] - nearest[:, None])[np.triu_indices(n, k=1)]
    return float(later.sum() / (n * (n - 1) / 2))


def cycle_error(first: Float[np.ndarray, "n D"], second: Float[np.ndarray, "m D"]) -> float:
    """Return how far from itself a frame comes back: to its nearest neighbour in the other episode, and back again.

    The mean over frames, as a part of the episode, 0 to 1; a frame that comes back anywhere is a third away on average.
    """
    back = _nearest(second, first)[_nearest(first, second)]
    return float(np.abs(back - np.arange(len(first))).mean() / (len(first) - 1))


def mean_over_pairs(features: Float[np.ndarray, "n D"], episode: Int64[np.ndarray, " n"]) -> tuple[float, float, int]:
    """Return tau and cycle error as means over ordered pairs of episodes, and how many pairs there were.

    Episodes with fewer than two frames are left out; of many, `MAX_EPISODES` evenly spread ones are compared. Not a
    number without a pair.
    """
    # over all frames, so that what is constant within an episode does not decide
    scaled = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0).mean(), 1e-12)
    parts = [scaled[episode == name] for name in np.unique(episode)]
    parts = [part for part in parts if len(part) > 1]
    chosen = np.linspace(0, len(parts) - 1, min(len(parts), MAX_EPISODES)).astype(np.int64).tolist()
    pairs = [(parts[a], parts[b]) for a, b in permutations(chosen, 2)]
    if not pairs:
        return float("nan"), float("nan"), 0
    tau = float(np.mean([kendall_tau(a, b) for a, b in pairs]))
    return tau, float(np.mean([cycle_error(a, b) for a, b in pairs])), len(pairs)


def _nearest(first: np.ndarray, second: np.ndarray) -> Int64[np.ndarray, " n"]:
    """Return for each row of the first the nearest row of the second; the earlier one of two that are equally near."""
    squares = np.square(second).sum(axis=1) - 2 * first @ second.T  # what all of a row share is left out
    return squares.argmin(axis=1)
