"""What a policy keeps of its success in another world."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool

from robossl.errors import RobosslError
from robossl.evaluation.intervals import Estimate, Interval, paired_ratio
from robossl.evaluation.training_seeds import BOOTSTRAP_DRAWS, bootstrap_means, over_seeds, percentiles, widest

MEASURED = ("renderer", "n", "success_rate", "low", "high")
"""What a table says of one evaluation."""
COLUMNS = ("policy", "domain", *MEASURED, "retained", "retained_low", "retained_high", "of")
"""Of a table of success and of what is kept of it, as `robossl report` draws it."""
IDLE_NOTE = (
    "No retained fraction: it is the world that others are compared with, there was no success to keep, or each "
    "episode ran the same, so that nothing changed."
)


def retained(
    target: Bool[np.ndarray, "*S n"],
    source: Bool[np.ndarray, "*S n"],
    *,
    confidence: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
    seed: int = 0,
) -> Estimate | None:
    """Return the success rate in a target over that in the source, with its interval.

    The ends are the outermost of those of `paired_ratio` of all episodes, of a bootstrap, and with several training
    seeds of Student's t over them. The bootstrap draws the same episodes for both worlds, since a layout that is hard
    in one is hard in the other, and training seeds independently of them (pigeonhole, Owen, 2007, arXiv 0712.1111);
    draws without any success in the source count for nothing. Student's t is that of the ratio to first order: of each
    seed's target - ratio x source, over the mean of the source. With few successes in the source all three are rough.

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
    at_target, at_source = (bootstrap_means(world, draws=draws, seed=seed) for world in (there, here))
    drawn = percentiles(at_target[at_source > 0] / at_source[at_source > 0], confidence=confidence)
    ratio, *least = paired_ratio(there.ravel() > 0, here.ravel() > 0, confidence=confidence)
    student = over_seeds(ratio + (there - ratio * here).mean(axis=1) / here.mean(), confidence=confidence)
    return widest(ratio, [drawn, Interval(*least), *student], limits=Interval(0.0, np.inf))


def successes_of(evaluation: Mapping[str, Any]) -> Bool[np.ndarray, " n"]:
    """Return the outcome of each episode of an evaluation in one world."""
    return np.array([episode["success"] for episode in evaluation["episodes"]], bool)


def retained_of(
    found: Mapping[str, Any], reference: Mapping[str, Any], *, is_same: bool = False
) -> Estimate | tuple[None, None, None]:
    """Return what is retained of the success in a reference, as the results of `robossl evaluate` hold both.

    Nothing where both are the same world, where the reference has no success, or where the other world let every
    episode run the same to the last digit: it then changed nothing that the policy meets, such as the mass of things in
    a task without any.

    Args:
        found, reference: of one domain each.
        is_same: whether they are the same world.
    """
    if is_same or ("trace" in found and found["trace"] == reference.get("trace")):
        return None, None, None
    return retained(successes_of(found), successes_of(reference)) or (None, None, None)
