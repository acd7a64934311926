"""Which of a few things an episode shows, told from frozen features by a linear classifier."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from robossl.errors import DataError
from robossl.evaluation.probe import FOLDS

STRENGTHS = (0.001, 0.03, 1.0)
"""Inverse penalties of the logistic regression that are tried."""
MAX_CLASSES = 20


class IdentityProbe:
    """Logistic regression on features at deviation 1, with the penalty that does best on a fifth of the episodes."""

    def fit(
        self, features: Float[np.ndarray, "n D"], labels: Sequence[str], episode: Int64[np.ndarray, " n"]
    ) -> "IdentityProbe":
        """Learn to tell the labels apart.

        Raises:
            DataError: there is only one label, or more than 20, or each in one episode only.
        """
        from sklearn.linear_model import LogisticRegression

        names, truth = np.unique(np.asarray(labels), return_inverse=True)
        if not 2 <= len(names) <= MAX_CLASSES:
            raise DataError(
                f"it has {len(names)} values in the training episodes; a classifier takes 2 to {MAX_CLASSES}"
            )
        self.names = names
        self._mean = features.mean(axis=0, dtype=np.float64)
        self._std = np.maximum(features.std(axis=0, dtype=np.float64), 1e-9)
        self._model = LogisticRegression(max_iter=300)
        inside = ~np.isin(episode, _fifth(episode, truth))
        if inside.all():
            raise DataError("no two training episodes share a value")
        scaled = self._scaled(features)
        hits = [
            float(
                (self._fitted(scaled[inside], truth[inside], strength).predict(scaled[~inside]) == truth[~inside]).sum()
            )
            for strength in STRENGTHS
        ]
        self._fitted(scaled, truth, STRENGTHS[int(np.argmax(hits))])
        return self

    def accuracy(self, features: Float[np.ndarray, "n D"], labels: Sequence[str]) -> float:
        """Return the share of frames whose label is told rightly, 0 to 1."""
        return float((self.names[self._model.predict(self._scaled(features))] == np.asarray(labels)).mean())

    def _fitted(self, scaled: np.ndarray, truth: np.ndarray, strength: float) -> Any:
        with warnings.catch_warnings():  # the steps are counted on purpose
            warnings.filterwarnings("ignore", message=".*lbfgs failed to converge")
            return self._model.set_params(C=strength).fit(scaled, truth)

    def _scaled(self, features: np.ndarray) -> np.ndarray:
        return (features - self._mean) / self._std


def chance(known: Sequence[str], asked: Sequence[str]) -> float:
    """Return the accuracy of naming always the most frequent label of the fit, 0 to 1."""
    names, counts = np.unique(np.asarray(known), return_counts=True)
    return float((np.asarray(asked) == names[np.argmax(counts)]).mean())


def _fifth(episode: Int64[np.ndarray, " n"], truth: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " m"]:
    """Return every fifth episode of each label; none of a label with fewer than two, which must be learned."""
    chosen = []
    for label in np.unique(truth):
        own = np.unique(episode[truth == label])
        chosen.append(own[::FOLDS] if len(own) > 1 else own[:0])
    return np.concatenate(chosen)
