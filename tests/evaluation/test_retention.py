"""What a policy keeps: the ratio, its interval, and its limits."""

import numpy as np
import pytest
from scipy.stats import t as student_t

from robossl.errors import RobosslError
from robossl.evaluation.intervals import wilson
from robossl.evaluation.retention import retained


def test_the_ratio_of_successes_with_an_interval_about_it() -> None:
    source, target = np.arange(40) < 32, np.arange(40) < 24
    found = retained(target, source)
    assert found is not None
    assert found.value == pytest.approx(0.75)
    assert 0.5 < found.low < 0.75 < found.high < 0.95


def test_the_same_outcomes_are_kept_as_far_as_so_few_episodes_tell() -> None:
    always = np.ones(34, bool)
    low = wilson(34, 34).low
    assert retained(always, always) == pytest.approx((1.0, low, 1 / low))
    sometimes = np.arange(20) % 3 == 0
    found = retained(sometimes, sometimes)
    assert found is not None
    assert found.low < found.value == 1.0 < found.high


def test_training_seeds_that_scatter_widen_the_interval() -> None:
    source = np.ones((3, 100), bool)
    rates = np.array([0.5, 0.7, 0.9])
    found = retained(np.arange(100) < 100 * rates[:, None], source)
    assert found is not None
    half = student_t.ppf(0.975, 2) * rates.std(ddof=1) / 3**0.5
    assert found == pytest.approx((0.7, 0.7 - half, 0.7 + half))


def test_what_three_training_seeds_keep_is_covered() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        rates = np.clip(0.6 + 0.1 * generator.normal(size=(3, 1)), 0, 1)
        found = retained(generator.random((3, 60)) < rates, generator.random((3, 60)) < 0.8, draws=200)
        assert found is not None
        covered += found.low <= 0.75 <= found.high
    assert covered >= 0.93 * 200


def test_pairs_tell_more_than_rates() -> None:
    source = np.arange(40) % 2 == 0
    together = retained(source & (np.arange(40) < 30), source)  # fails in the target where it fails in the source
    apart = retained(np.roll(source, 1) & (np.arange(40) < 30), source)
    assert together is not None
    assert apart is not None
    assert together.high - together.low < apart.high - apart.low


def test_who_never_succeeds_keeps_nothing_that_can_be_measured() -> None:
    assert retained(np.ones(5, bool), np.zeros(5, bool)) is None
    with pytest.raises(RobosslError, match="the same episodes in both worlds, got 4 and 5"):
        retained(np.ones(4, bool), np.ones(5, bool))
