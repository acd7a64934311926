"""What a policy keeps of its success in another world."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool

from robossl.errors import RobosslError
from robossl.evaluation.intervals import BOOTSTRAP_DRAWS, Estimate

MEASURED = ("renderer", "n", "success_rate", "low", "high")
"""What a table says of one evaluation."""
COLUMNS = ("policy", "domain", *MEASURED, "retained", "retained_low", "retained_high", "of")
"""Of a table of success and of what is kept of it, as `robossl report` draws it."""


def retained(
    target: Bool[np.ndarray, "*S n"],
    source: Bool[np.ndarray, "*S n"],
    *,
    confidence: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
    seed: int = 0,
) -> Estimate | None:
    """Return the success rate in a target over that in the source, with its percentile bootstrap interval.

    The same episodes are drawn for both, since a layout that is hard in one world is hard in the other; draws without
    any success in the source count for nothing. With several training seeds these are drawn too, independently of the
    episodes (pigeonhole bootstrap, Owen, 2007, arXiv 0712.1111).

    Args:
        target: success of each episode in the world that the policy was moved to; row s: of training seed s, if there
            are several.
        source: success of the same episodes where it was trained.
        confidence: 0-1.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        None where the policy never succeeds in the source.

    Raises:
        RobosslError: the two are not equally long, or empty.
    """
    there, here = (np.atleast_2d(np.asarray(world, np.float64)) for world in (target, source))  # [S,n]
    if there.shape != here.shape or here.size == 0:
        counts = f"{there.shape[-1]} and {here.shape[-1]}"
        raise RobosslError(f"retention needs the same episodes in both worlds, got {counts}")
    if not here.any():
        return None
    rng = np.random.default_rng(seed)
    of_seeds, of_episodes = (rng.multinomial(n, np.full(n, 1 / n), size=draws) for n in here.shape)
    at_target, at_source = (((of_seeds @ world) * of_episodes).sum(axis=1) for world in (there, here))
    ratios = at_target[at_source > 0] / at_source[at_source > 0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return Estimate(float(there.sum() / here.sum()), float(low), float(high))


def successes_of(evaluation: Mapping[str, Any]) -> Bool[np.ndarray, " n"]:
    """Return the outcome of each episode of an evaluation in one world."""
    return np.array([episode["success"] for episode in evaluation["episodes"]], bool)
