"""Things are told apart where features tell them apart, and by chance where not."""

import numpy as np
import pytest

from robossl.errors import DataError
from robossl.evaluation.identity import IdentityProbe, chance


def frames(spread: float, *, seed: int = 0) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Return features, labels and episodes of 12 episodes of three things, ten frames each."""
    generator = np.random.default_rng(seed)
    episode = np.repeat(np.arange(12), 10)
    kind = episode % 3
    middles = np.random.default_rng(9).normal(size=(3, 8))
    return middles[kind] + spread * generator.normal(size=(120, 8)), [f"thing {k}" for k in kind], episode


def test_what_features_hold_apart_is_told_in_other_episodes() -> None:
    probe = IdentityProbe().fit(*frames(0.1))
    features, labels, _ = frames(0.1, seed=1)
    assert probe.accuracy(features, labels) == 1.0
    assert probe.accuracy(features, ["thing 7"] * len(labels)) == 0.0, "what was never seen can't be told"


def test_features_of_noise_give_chance() -> None:
    features, labels, episode = frames(0.1)
    noise = np.random.default_rng(2).normal(size=features.shape)
    probe = IdentityProbe().fit(noise, labels, episode)
    assert probe.accuracy(np.random.default_rng(3).normal(size=features.shape), labels) < 0.5
    assert chance(labels, labels) == pytest.approx(1 / 3)
    assert chance(["a", "a", "b"], ["b", "b", "b", "a"]) == 0.25


@pytest.mark.parametrize(("labels", "count"), [(["a"] * 60, 1), ([str(i) for i in range(60)], 60)])
def test_one_value_or_too_many_are_no_classes(labels: list[str], count: int) -> None:
    with pytest.raises(DataError, match=f"it has {count} values in the training episodes; a classifier takes 2 to 20"):
        IdentityProbe().fit(np.zeros((60, 2)), labels, np.arange(60))
