"""A probe that takes milliseconds: whether features still tell anything, asked again and again in training."""

import numpy as np
from jaxtyping import Float, Int64

FOLDS = 4
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the ridge, for features whose squares sum to 1 on average: strong ones, since frames are fewer than features."""


def quick_r2(
    features: Float[np.ndarray, "n D"], truth: Float[np.ndarray, "n Y"], episode: Int64[np.ndarray, " n"]
) -> float:
    """Return the mean R2 over the columns of the truth, each frame read out by a ridge fitted on other episodes.

    The penalty is the one that does best, so a useless representation gets about 0. Columns that rest are left out.
    Not a number if all do, or if there are fewer than two episodes.
    """
    truth = np.asarray(truth, np.float64)
    truth = truth[:, truth.std(axis=0) > 1e-6]
    names = np.unique(episode)
    if not truth.shape[1] or len(names) < 2:
        return float("nan")
    truth = (truth - truth.mean(axis=0)) / truth.std(axis=0)
    fold = np.searchsorted(names, episode) % FOLDS
    errors = np.zeros(len(PENALTIES))
    for held_out in range(min(FOLDS, len(names))):
        inside, outside = fold != held_out, fold == held_out
        read = _read(features[inside], truth[inside], features[outside])
        errors += np.square(read - truth[outside]).sum(axis=(1, 2))
    return float(1 - errors.min() / truth.size)


def _read(
    features: Float[np.ndarray, "m D"], truth: Float[np.ndarray, "m Y"], asked: Float[np.ndarray, "n D"]
) -> Float[np.ndarray, "P n Y"]:
    """Return the truth of the asked frames with each penalty; solved between frames, since they are few."""
    mean, middle = features.mean(axis=0, dtype=np.float64), truth.mean(axis=0)
    known, wanted = features - mean, asked - mean
    size = max(float(np.square(known).sum(axis=1).mean()), 1e-30)
    values, vectors = np.linalg.eigh(known @ known.T / size)
    projected, between = vectors.T @ (truth - middle), wanted @ known.T / size @ vectors
    return np.stack([between / (values + penalty) @ projected + middle for penalty in PENALTIES])
