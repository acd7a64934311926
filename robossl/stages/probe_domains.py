"""Encoder-level scores of transfer: what features tell of actions in each domain, and how far domains lie apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robossl.evaluation.domains import domain_gap
from robossl.evaluation.probe import ProbeData, ProbeTarget, RidgeProbe, score_probe
from robossl.stages.probe_frames import Sampled
from robossl.stages.probe_time import Features

NOTE = (
    "action score: r2 of a ridge probe for the recorded action, fitted in the first data set and tested in each; "
    "centroid distance: between the mean features of a data set and of the first one, in units of their spread; "
    "invariance: 1 / (1 + that distance), 1 is best; domain accuracy: how often a linear classifier tells the two "
    "apart on held-out episodes, 0.5 by chance, which is best (after arXiv 2501.16389). Both must show the same kind "
    "of situations, or it is these that are told apart. n: frames."
)


def domain_rows(
    train: Sampled, tests: Sequence[Sampled], features_of: Features, *, features: str, data: Sequence[str]
) -> list[list[Any]]:
    """Return the rows of one kind of features, for each data set."""
    seen = [features_of(test, 0) for test in tests]
    rows = _action_rows(train, tests, features_of(train, 0), seen, features=features, data=data)
    for name, test, other in zip(data[1:], tests[1:], seen[1:], strict=True):
        gap = domain_gap(seen[0], other, source_episode=tests[0].episode, target_episode=test.episode)
        rows += [
            [features, name, "centroid distance", len(other), gap.centroid_distance],
            [features, name, "invariance", len(other), gap.invariance],
            [features, name, "domain accuracy", len(other), gap.classifier_accuracy],
        ]
    return rows


def _action_rows(
    train: Sampled,
    tests: Sequence[Sampled],
    fit: np.ndarray,
    seen: Sequence[np.ndarray],
    *,
    features: str,
    data: Sequence[str],
) -> list[list[Any]]:
    """Return the action scores, of the frames that have an action; nothing where a data set has none."""
    if not all(sampled.has_actions for sampled in (train, *tests)):
        return []
    fitted_on = ProbeData(features=fit[train.acts], truth=train.actions(), episode=train.episode[train.acts])
    probe = RidgeProbe().fit(fitted_on)
    return [
        [features, name, "action score", int(test.acts.sum()), _r2(probe, other[test.acts], test.actions())]
        for name, test, other in zip(data, tests, seen, strict=True)
    ]


def _r2(probe: RidgeProbe, features: np.ndarray, actions: np.ndarray) -> float:
    whole = ProbeTarget(name="", columns=tuple(range(actions.shape[1])))
    return score_probe(probe.predict(features), actions, [whole])[0].r2
