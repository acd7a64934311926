"""Intervals against closed forms, published numbers and how often they cover the truth."""

import numpy as np
import pytest
from scipy.stats import binomtest

from robossl.errors import RobosslError
from robossl.evaluation.intervals import paired_difference, paired_ratio, wilson


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


def test_the_ratio_of_two_that_always_succeed_is_one_within_wilsons_end() -> None:
    always = np.ones(34, bool)
    low = wilson(34, 34).low
    assert paired_ratio(always, always) == pytest.approx((1.0, low, 1 / low))


def test_the_ends_of_a_ratio_are_where_the_interval_of_the_difference_ends_at_zero() -> None:
    first, second = _pairs(12, 12, 12, 12)  # phi is 0
    value, low, high = paired_ratio(first, second)
    span = wilson(24, 48).high - 0.5
    assert value == 1
    assert 0.5 - low * 0.5 == pytest.approx(np.hypot(span, low * span))
    assert high == pytest.approx(1 / low)


def test_turning_a_ratio_over_turns_its_interval_over() -> None:
    first, second = _pairs(30, 9, 3, 8)
    value, low, high = paired_ratio(first, second)
    assert low < value < high
    assert paired_ratio(second, first) == pytest.approx((1 / value, 1 / high, 1 / low))


def test_a_ratio_needs_a_success_to_divide_by_and_none_to_divide() -> None:
    never, once = np.zeros(34, bool), np.arange(34) == 0
    value, low, high = paired_ratio(never, once)
    assert (value, low) == (0.0, 0.0)
    assert high > 1
    with pytest.raises(RobosslError, match="no ratio"):
        paired_ratio(once, never)


def test_the_interval_of_a_ratio_covers_the_true_one_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    chances = np.array([0.5, 0.1, 0.25, 0.15])
    covered = 0
    for _ in range(400):
        _, low, high = paired_ratio(*_pairs(*generator.multinomial(50, chances)))
        covered += low <= 0.6 / 0.75 <= high
    assert 0.92 <= covered / 400 <= 0.99
