"""Kendall's tau and cycles between episodes: limits, and a slow loop."""

import numpy as np
import pytest

from robossl.evaluation.episode_alignment import cycle_error, kendall_tau, mean_over_pairs

LINE = np.arange(10.0)[:, None]


def test_the_same_order_the_reverse_and_no_order() -> None:
    assert kendall_tau(LINE, LINE + 0.2) == 1
    assert kendall_tau(LINE, LINE[::-1]) == -1
    assert kendall_tau(LINE, np.full((5, 1), 3.0)) == 0, "one neighbour for all"
    assert cycle_error(LINE, LINE + 0.2) == 0
    assert cycle_error(LINE, np.full((5, 1), -1.0)) == pytest.approx(0.5), "all come back to the first frame"


def test_tau_is_that_of_a_slow_loop() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(12, 3)), generator.normal(size=(9, 3))
    nearest = [min(range(9), key=lambda k: np.square(frame - second[k]).sum()) for frame in first]
    pairs = [(i, j) for i in range(12) for j in range(i + 1, 12)]
    signs = [np.sign(nearest[j] - nearest[i]) for i, j in pairs]
    assert kendall_tau(first, second) == pytest.approx(sum(signs) / len(pairs))


def test_all_ordered_pairs_of_episodes_count() -> None:
    features, episode = np.concatenate([LINE, LINE, LINE[:1]]), np.repeat([4, 7, 9], [10, 10, 1])
    assert mean_over_pairs(features, episode) == (1.0, 0.0, 2)
    tau, cycle, pairs = mean_over_pairs(LINE, np.zeros(10, np.int64))
    assert np.isnan(tau)
    assert np.isnan(cycle)
    assert pairs == 0
