"""What a policy keeps: the ratio, its interval, and its limits."""

import numpy as np
import pytest

from robossl.errors import RobosslError
from robossl.evaluation.retention import retained


def test_the_ratio_of_successes_with_an_interval_about_it() -> None:
    source, target = np.arange(40) < 32, np.arange(40) < 24
    found = retained(target, source)
    assert found is not None
    assert found.value == pytest.approx(0.75)
    assert 0.5 < found.low < 0.75 < found.high < 0.95


def test_the_same_outcomes_are_kept_for_sure() -> None:
    outcomes = np.arange(20) % 3 == 0
    assert retained(outcomes, outcomes) == (1.0, 1.0, 1.0)


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
