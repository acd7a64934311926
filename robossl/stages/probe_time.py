"""What features tell about time: how far an episode has come, how fast things move, and which instants are alike."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from robossl.evaluation.episode_alignment import mean_over_pairs
from robossl.evaluation.probe import ProbeData, ProbeTarget, RidgeProbe, score_probe
from robossl.stages.probe_frames import Sampled

Features = Callable[[Sampled, int], Float[np.ndarray, "n D"]]
"""Frames, and how many before each is meant, to features: an encoder's, or components of pixels."""
COLUMNS = ("features", "data", "measure", "n", "value")
NOTE = (
    "progress r2, velocity r2: a ridge probe, fitted on training episodes, for the part of the episode that is over, "
    "and for the rate at which what the first table reads out changes (from the features of a frame and of the one "
    "before); kendall tau: whether nearest neighbours in another held-out episode come in the same order, -1 to 1; "
    "cycle error: how far from itself a frame comes back from there, as a part of the episode, 0.33 by chance. n: "
    "frames, or ordered pairs of episodes."
)


def time_rows(
    train: Sampled, tests: Sequence[Sampled], features_of: Features, *, features: str, data: Sequence[str]
) -> list[list[Any]]:
    """Return the rows of one kind of features, for each data set."""
    fit = features_of(train, 0)
    progress = _fitted(train, fit, train.progress)
    velocity = _fitted(train, _moving(train, fit, features_of), train.velocity())
    rows = []
    for name, test in zip(data, tests, strict=True):
        seen = features_of(test, 0)
        moving = _moving(test, seen, features_of)
        tau, cycle, pairs = mean_over_pairs(seen, test.episode)
        rows += [
            [features, name, "progress r2", len(seen), _r2(progress, seen, test.progress)],
            [features, name, "velocity r2", len(seen), _r2(velocity, moving, test.velocity())],
            [features, name, "kendall tau", pairs, tau],
            [features, name, "cycle error", pairs, cycle],
        ]
    return rows


def _fitted(train: Sampled, features: np.ndarray, truth: np.ndarray) -> RidgeProbe:
    return RidgeProbe().fit(ProbeData(features=features, truth=truth, episode=train.episode))


def _moving(sampled: Sampled, features: np.ndarray, features_of: Features) -> np.ndarray:
    """Return the features of each frame and how they changed from the frame before."""
    return np.hstack([features, features - features_of(sampled, 1)])


def _r2(probe: RidgeProbe, features: np.ndarray, truth: np.ndarray) -> float:
    moves = truth.std(axis=0) > 1e-6  # a goal that rests has no velocity to read out
    if not moves.any():
        return float("nan")
    target = ProbeTarget(name="", columns=tuple(np.flatnonzero(moves).tolist()))
    return score_probe(probe.predict(features), truth, [target])[0].r2
