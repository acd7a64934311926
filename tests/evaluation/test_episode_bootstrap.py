"""The interval of what is measured on frames counts episodes, not frames."""

import numpy as np
import pytest

from robossl.errors import RobosslError
from robossl.evaluation.episode_bootstrap import bootstrap_over_episodes


def test_frames_of_one_episode_count_once() -> None:
    once = np.random.default_rng(0).normal(size=40)
    alone = bootstrap_over_episodes(once, np.arange(40))
    repeated = bootstrap_over_episodes(np.repeat(once, 25), np.repeat(np.arange(40), 25))
    assert alone.value == pytest.approx(np.median(once))
    assert alone.low < alone.value < alone.high
    assert repeated.high - repeated.low == pytest.approx(alone.high - alone.low, rel=0.2)


def test_an_interval_of_a_ratio_follows_pairs() -> None:
    rows = np.random.default_rng(0).uniform(1, 5, size=(60, 1)) * [1.0, 2.0]
    ratio = bootstrap_over_episodes(rows, np.arange(60), lambda some: float(some[:, 1].mean() / some[:, 0].mean()))
    assert ratio == pytest.approx((2.0, 2.0, 2.0))


def test_frames_without_their_episodes_are_refused() -> None:
    with pytest.raises(RobosslError, match="got 3 and 2"):
        bootstrap_over_episodes(np.zeros(3), np.zeros(2, np.int64))
