"""Intervals over training seeds: how often they cover the truth, and what they fall back on."""

import numpy as np
import pytest
from scipy.stats import t as student_t

from robossl.errors import RobosslError
from robossl.evaluation.intervals import paired_difference, wilson
from robossl.evaluation.training_seeds import across_seeds, bootstrap_means, difference_across_seeds, percentiles


def test_one_value_everywhere_gives_wilsons_interval() -> None:
    assert across_seeds(np.ones((3, 20), bool)) == (1.0, *wilson(60, 60))


def test_training_seeds_that_disagree_widen_the_interval() -> None:
    generator = np.random.default_rng(0)
    alike = generator.random((3, 100)) < 0.5
    apart = generator.random((3, 100)) < np.array([[0.2], [0.5], [0.8]])
    first, second = across_seeds(alike), across_seeds(apart)
    assert second.high - second.low > 2 * (first.high - first.low)
    assert apart.mean() == pytest.approx(second.value)


def test_three_seeds_that_scatter_have_students_interval_which_is_wider_than_the_bootstraps() -> None:
    rates = np.array([0.4, 0.5, 0.7])
    table = np.arange(100) < 100 * rates[:, None]
    half = student_t.ppf(0.975, 2) * rates.std(ddof=1) / 3**0.5
    found = across_seeds(table)
    assert (found.low, found.high) == pytest.approx((rates.mean() - half, rates.mean() + half))
    drawn = percentiles(bootstrap_means(table.astype(float), draws=4000, seed=0), confidence=0.95)
    assert found.low < drawn.low < drawn.high < found.high
    none = np.zeros_like(table)
    assert difference_across_seeds(table, none) == pytest.approx(found)


def test_the_interval_ends_where_what_is_possible_ends() -> None:
    apart = np.arange(50) < np.array([[5], [50], [50]])
    assert across_seeds(apart).high == 1.0
    assert difference_across_seeds(~apart, apart).low == -1.0


def test_one_training_seed_is_no_sample_of_seeds() -> None:
    outcomes = np.arange(34) % 2 == 0
    rate = across_seeds(outcomes[None])
    least = wilson(17, 34)
    assert rate.low == pytest.approx(least.low, abs=0.02)
    assert rate.high == pytest.approx(least.high, abs=0.02)
    equal = np.ones((1, 34), bool)
    assert difference_across_seeds(equal, equal) == paired_difference(equal[0], equal[0])


def test_equal_outcomes_leave_room_for_a_difference() -> None:
    equal = np.ones((3, 34), bool)
    value, low, high = difference_across_seeds(equal, equal)
    assert value == 0
    assert (low, high) == pytest.approx((wilson(102, 102).low - 1, 1 - wilson(102, 102).low))


@pytest.mark.parametrize("n", [34, 100])
def test_the_difference_of_three_training_seeds_covers_the_truth(n: int) -> None:
    generator = np.random.default_rng(1)
    covered, by_bootstrap = 0, 0
    for _ in range(200):
        rates = np.clip(0.6 + 0.15 * generator.normal(size=(3, 1)), 0, 1)
        first, second = generator.random((3, n)) < rates, generator.random((3, n)) < 0.3
        _, low, high = difference_across_seeds(first, second, draws=200)
        covered += low <= 0.3 <= high
        drawn = percentiles(bootstrap_means(first.astype(float) - second, draws=200, seed=0), confidence=0.95)
        by_bootstrap += drawn.low <= 0.3 <= drawn.high
    assert covered >= 0.93 * 200
    assert by_bootstrap < covered


def test_the_rate_of_eight_training_seeds_covers_the_truth() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(100):
        rates = np.clip(0.6 + 0.1 * generator.normal(size=(8, 1)), 0, 1)
        estimate = across_seeds(generator.random((8, 40)) < rates, draws=500)
        covered += estimate.low <= 0.6 <= estimate.high
    assert covered >= 92


def test_no_seeds_or_episodes_are_refused() -> None:
    with pytest.raises(RobosslError, match="at least one each"):
        across_seeds(np.zeros((0, 5), bool))


def test_a_difference_across_seeds_is_paired_and_turns_its_sign_with_the_order() -> None:
    generator = np.random.default_rng(0)
    shared = generator.random((3, 100))
    better, worse = shared < 0.8, shared < 0.5  # each episode that the worse one solves, the better one solves too
    value, low, high = difference_across_seeds(better, worse)
    assert value == pytest.approx(better.mean() - worse.mean())
    assert low > 0.15
    assert difference_across_seeds(worse, better) == pytest.approx((-value, -high, -low))
    unpaired = generator.permuted(worse, axis=1)
    _, wider_low, wider_high = difference_across_seeds(better, unpaired)
    assert wider_high - wider_low > high - low


def test_a_difference_across_seeds_refuses_other_shapes() -> None:
    with pytest.raises(RobosslError, match=r"of one shape, got \(3, 5\) and \(3, 4\)"):
        difference_across_seeds(np.ones((3, 5), bool), np.ones((3, 4), bool))
