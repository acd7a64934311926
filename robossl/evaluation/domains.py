"""Encoder-level scores of transfer: how far two domains lie apart in feature space."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from robossl.errors import DataError

FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class DomainGap:
    """How well features tell two domains apart; nothing does where they are invariant."""

    centroid_distance: float
    """Between the domains' mean features, over features' root mean square distance from their own mean; from 0."""
    classifier_accuracy: float
    """Balanced accuracy of a linear classifier on held-out episodes: 0.5 by chance, 1 where no frame is taken for the
    other domain's."""

    @property
    def invariance(self) -> float:
        """Domain-Invariance Score, 1 / (1 + centroid distance): 1 where the means are the same, 0 far apart."""
        return 1 / (1 + self.centroid_distance)


def domain_gap(
    source: Float[np.ndarray, "n D"],
    target: Float[np.ndarray, "m D"],
    *,
    source_episode: Int64[np.ndarray, " n"],
    target_episode: Int64[np.ndarray, " m"],
) -> DomainGap:
    """Return how far the features of two domains lie apart (Biruduganti et al. 2025, arXiv 2501.16389).

    Both domains must show the same kind of situations, or what is measured is what happens, and not how it looks.
    Scaling or rotating the features changes no distance.

    Raises:
        DataError: a domain has fewer than two episodes.
    """
    return DomainGap(
        centroid_distance=_centroid_distance(source, target),
        classifier_accuracy=_classifier_accuracy([source, target], [source_episode, target_episode]),
    )


def _centroid_distance(source: np.ndarray, target: np.ndarray) -> float:
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    within = [np.square(part - part.mean(axis=0)).sum(axis=1).mean() for part in (source, target)]
    between = np.linalg.norm(source.mean(axis=0) - target.mean(axis=0))
    return float(between / max(np.sqrt(np.mean(within)), 1e-12))


def _classifier_accuracy(domains: list[np.ndarray], episodes: list[np.ndarray]) -> float:
    """Return the mean over folds that hold out a fifth of the episodes of each domain."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.concatenate(domains)
    label = np.repeat([0, 1], [len(part) for part in domains])
    folds = [_fold_of(part) for part in episodes]
    fold = np.concatenate(folds)
    found = []
    for held_out in range(min(part.max() for part in folds) + 1):
        outside = fold == held_out
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, class_weight="balanced"))
        classifier.fit(features[~outside], label[~outside])
        found.append(balanced_accuracy_score(label[outside], classifier.predict(features[outside])))
    return float(np.mean(found))


def _fold_of(episode: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    known, place = np.unique(episode, return_inverse=True)
    if len(known) < 2:
        raise DataError(f"telling domains apart needs 2 episodes of each, one has {len(known)}; collect more")
    return place % FOLDS
