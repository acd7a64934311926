"""How far domains lie apart in feature space."""

import numpy as np
import pytest

from robossl.errors import DataError
from robossl.evaluation.domains import domain_gap

EPISODE = np.repeat(np.arange(100), 10)


def _features(seed: int, offset: float = 0.0) -> np.ndarray:
    features = np.random.default_rng(seed).normal(size=(1000, 6))
    features[:, 0] += offset
    return features


def _gap(source: np.ndarray, target: np.ndarray):
    return domain_gap(source, target, source_episode=EPISODE, target_episode=EPISODE)


def test_one_domain_twice_is_invariant() -> None:
    gap = _gap(_features(0), _features(1))
    assert gap.centroid_distance == pytest.approx(0, abs=0.12)
    assert gap.invariance == pytest.approx(1, abs=0.12)
    assert gap.classifier_accuracy == pytest.approx(0.5, abs=0.08)


def test_another_offset_is_its_distance_in_units_of_the_spread() -> None:
    gap = _gap(_features(0), _features(1, offset=6.0))
    assert gap.centroid_distance == pytest.approx(6 / np.sqrt(6), rel=0.05)
    assert gap.invariance == 1 / (1 + gap.centroid_distance)
    assert gap.classifier_accuracy > 0.99


def test_scale_and_rotation_change_no_distance() -> None:
    turned = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0] * 7
    source, target = _features(0), _features(1, offset=2.0)
    assert _gap(source @ turned, target @ turned).centroid_distance == pytest.approx(
        _gap(source, target).centroid_distance
    )


def test_a_look_that_marks_an_episode_only_does_not_pass_for_a_domain() -> None:
    marks = np.random.default_rng(3).normal(scale=20, size=(200, 6))
    source, target = _features(0) + marks[EPISODE], _features(1) + marks[100 + EPISODE]
    assert _gap(source, target).classifier_accuracy < 0.75


def test_one_episode_is_refused() -> None:
    with pytest.raises(DataError, match="needs 2 episodes of each, one has 1"):
        domain_gap(_features(0), _features(1), source_episode=EPISODE, target_episode=np.zeros(1000, np.int64))
