"""Intervals against closed forms, published numbers and how often they cover the truth."""

import numpy as np
import pytest
from scipy.stats import binomtest

from robossl.errors import RobosslError
from robossl.evaluation.intervals import across_seeds, difference_across_seeds, paired_difference, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 20), (1, 20), (10, 20), (20, 20), (85, 100), (3, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_is_scipys(successes: int, n: int, confidence: float) -> None:
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence=confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_everything_and_of_nonsense_an_error() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(RobosslError, match="5 successes of 4 episodes"):
        wilson(5, 4)
    with pytest.raises(RobosslError, match=r"confidence is 1\.0"):
        wilson(1, 4, confidence=1.0)


def _pairs(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    second = np.repeat([True, False, True, False], [both, only_first, only_second, neither])
    return first, second


def test_the_paired_interval_without_correlation_joins_two_wilson_intervals() -> None:
    first, second = _pairs(12, 12, 12, 12)  # phi is 0
    low, high = wilson(24, 48)
    half = np.hypot(high - 0.5, 0.5 - low)
    assert paired_difference(first, second) == pytest.approx((0.0, -half, half))


def test_policies_that_agree_everywhere_differ_by_nothing_with_a_narrow_interval() -> None:
    first, second = _pairs(60, 0, 0, 40)
    value, low, high = paired_difference(first, second)
    unpaired = np.hypot(*(np.array(wilson(60, 100)) - 0.6))
    assert value == 0
    assert low < 0 < high
    assert high - low < unpaired


def test_swapping_the_policies_mirrors_the_interval() -> None:
    first, second = _pairs(30, 9, 3, 8)
    value, low, high = paired_difference(first, second)
    assert paired_difference(second, first) == pytest.approx((-value, -high, -low))


def test_the_paired_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    chances = np.array([0.4, 0.25, 0.1, 0.25])
    covered = 0
    for _ in range(400):
        _, low, high = paired_difference(*_pairs(*generator.multinomial(50, chances)))
        covered += low <= chances[1] - chances[2] <= high
    assert 0.92 <= covered / 400 <= 0.99


def test_a_paired_comparison_needs_the_same_episodes() -> None:
    with pytest.raises(RobosslError, match="got 2 and 3"):
        paired_difference(np.ones(2, bool), np.ones(3, bool))


def test_one_value_everywhere_gives_wilsons_interval() -> None:
    assert across_seeds(np.ones((3, 20), bool)) == (1.0, *wilson(60, 60))


def test_training_seeds_that_disagree_widen_the_interval() -> None:
    generator = np.random.default_rng(0)
    alike = generator.random((3, 100)) < 0.5
    apart = generator.random((3, 100)) < np.array([[0.2], [0.5], [0.8]])
    first, second = across_seeds(alike), across_seeds(apart)
    assert second.high - second.low > 2 * (first.high - first.low)
    assert apart.mean() == pytest.approx(second.value)


def test_the_recipe_interval_covers_the_recipes_true_rate() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(100):
        rates = np.clip(0.6 + 0.1 * generator.normal(size=(8, 1)), 0, 1)
        estimate = across_seeds(generator.random((8, 40)) < rates, draws=500)
        covered += estimate.low <= 0.6 <= estimate.high
    assert covered >= 90


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
    assert difference_across_seeds(better, better) == pytest.approx((0.0, 0.0, 0.0))
    unpaired = generator.permuted(worse, axis=1)
    _, wider_low, wider_high = difference_across_seeds(better, unpaired)
    assert wider_high - wider_low > high - low


def test_a_difference_across_seeds_refuses_other_shapes() -> None:
    with pytest.raises(RobosslError, match=r"of one shape, got \(3, 5\) and \(3, 4\)"):
        difference_across_seeds(np.ones((3, 5), bool), np.ones((3, 4), bool))
