"""How well one world foretells another: do policies that are better in the source also do better in the target?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from robossl.errors import RobosslError

LEAST_POLICIES = 3
ENOUGH_POLICIES = 8
"""With fewer a correlation says little, whatever its value."""


class Agreement(NamedTuple):
    """Of the success rates of the same policies in two worlds."""

    num_policies: int
    pearson: float | None
    """Correlation, -1 to 1; None where all policies are equally good in one of the worlds."""
    rank_violation: float
    """Mean maximum rank violation, 0 (best) to 1."""


def agreement(*, source: Sequence[float], target: Sequence[float]) -> Agreement:
    """Compare success rates of the same policies, in the same order, in two worlds.

    The two measures of SIMPLER (Li et al. 2024, arXiv 2405.05941), where the source is the simulator and the target
    the real robot. Neither argument has a place, since their order matters and is easily swapped.

    Args:
        source: success rate of each policy where it was chosen or trained, 0-1.
        target: success rate of each policy where it is used, 0-1.

    Raises:
        RobosslError: there are fewer than 3 policies, or not as many in one as in the other.
    """
    ours, theirs = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if ours.shape != theirs.shape or ours.ndim != 1 or len(ours) < LEAST_POLICIES:
        raise RobosslError(
            f"agreement needs the success rates of the same policies, {LEAST_POLICIES} or more, in source and target; "
            f"got {ours.size} and {theirs.size}"
        )
    return Agreement(len(ours), _pearson(ours, theirs), _rank_violation(ours, theirs))


def _pearson(source: Float[np.ndarray, " P"], target: Float[np.ndarray, " P"]) -> float | None:
    if np.ptp(source) == 0 or np.ptp(target) == 0:
        return None
    return float(np.corrcoef(source, target)[0, 1])


def _rank_violation(source: Float[np.ndarray, " P"], target: Float[np.ndarray, " P"]) -> float:
    """Return the mean over policies of the largest difference in the target to one that the source ranks wrongly."""
    wrong = (source[:, None] > source) != (target[:, None] > target)
    return float((np.abs(target[:, None] - target) * wrong).max(axis=1).mean())
