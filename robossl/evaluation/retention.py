"""What a policy keeps of its success in another world."""

import numpy as np
from jaxtyping import Bool

from robossl.errors import RobosslError
from robossl.evaluation.intervals import BOOTSTRAP_DRAWS, Estimate


def retained(
    target: Bool[np.ndarray, " n"],
    source: Bool[np.ndarray, " n"],
    *,
    confidence: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
    seed: int = 0,
) -> Estimate | None:
    """Return the success rate in a target over that in the source, with its percentile bootstrap interval.

    The same episodes are drawn for both, since a layout that is hard in one world is hard in the other; draws without
    any success in the source count for nothing.

    Args:
        target: success of each episode in the world that the policy was moved to.
        source: success of the same episodes where it was trained.
        confidence: 0-1.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        None where the policy never succeeds in the source.

    Raises:
        RobosslError: the two are not equally long, or empty.
    """
    there, here = np.asarray(target, np.float64), np.asarray(source, np.float64)
    if len(there) != len(here) or len(here) == 0:
        raise RobosslError(f"retention needs the same episodes in both worlds, got {len(there)} and {len(here)}")
    if not here.any():
        return None
    n = len(here)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    at_source = weights @ here
    ratios = (weights @ there)[at_source > 0] / at_source[at_source > 0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return Estimate(float(there.sum() / here.sum()), float(low), float(high))
