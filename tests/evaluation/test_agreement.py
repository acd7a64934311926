"""Agreement between worlds: published tables come out, and limits hold."""

import numpy as np
import pytest

from robossl.errors import RobosslError
from robossl.evaluation.agreement import agreement

REAL = {
    "pick": np.array([68, 64, 69, 57, 10, 22]) / 75,
    "move near": np.array([44, 38, 35, 27, 1, 21]) / 60,
}
SIMULATED = {
    "pick": np.mean(
        [[0.74, 0.96, 0.86, 0.82, 0.05, 0.21], [0.74, 0.90, 0.79, 0.33, 0, 0.21], [0.88, 0.71, 0.48, 0.55, 0.03, 0.09]],
        axis=0,
    ),  # can lying, lengthwise, standing
    "move near": np.array([187, 106, 85, 76, 12, 10]) / 240,
}
"""Success rates of RT-2-X, RT-1 (converged, 15 %, X, begin) and Octo, real and in SIMPLER (arXiv 2405.05941), which
publishes three digits; here as the counts of episodes that these are rounded from, or by the can's orientation."""


@pytest.mark.parametrize(("task", "violation", "pearson"), [("pick", 0.031, 0.976), ("move near", 0.111, 0.855)])
def test_the_published_figures_of_simpler_come_out(task: str, violation: float, pearson: float) -> None:
    found = agreement(source=SIMULATED[task], target=REAL[task])
    assert found.num_policies == 6
    assert found.rank_violation == pytest.approx(violation, abs=5e-4)
    assert found.pearson == pytest.approx(pearson, abs=1e-3)  # of `move near` 0.8559: three digits leave 0.854 to 0.858


def test_the_same_order_violates_nothing_and_the_reverse_the_most() -> None:
    rates = np.array([0.1, 0.4, 0.6, 0.9])
    assert agreement(source=rates, target=rates**2).rank_violation == 0
    turned = agreement(source=rates[::-1], target=rates)
    assert turned.pearson == pytest.approx(-1)
    assert turned.rank_violation == pytest.approx(np.mean([0.8, 0.5, 0.5, 0.8]))


def test_the_measure_counts_losses_in_the_target() -> None:
    near, far = [0.5, 0.52, 0.9], [0.2, 0.8, 0.85]
    one = agreement(source=near[::-1], target=far)
    other = agreement(source=far, target=near[::-1])
    assert one.rank_violation != other.rank_violation


def test_where_all_are_equal_there_is_no_correlation() -> None:
    assert agreement(source=[0.5, 0.5, 0.5], target=[0.1, 0.2, 0.3]).pearson is None


def test_what_does_not_pair_is_refused() -> None:
    for source, target in (([0.1, 0.2], [0.1, 0.2]), ([0.1, 0.2, 0.3], [0.1, 0.2])):
        with pytest.raises(RobosslError, match="the same policies, 3 or more"):
            agreement(source=source, target=target)
