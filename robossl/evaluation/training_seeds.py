"""Intervals of a recipe: success and its difference to another recipe over training seeds and episodes."""

import numpy as np
from jaxtyping import Bool, Float

from robossl.errors import RobosslError
from robossl.evaluation.intervals import Estimate, Interval, paired_difference, wilson
from robossl.evaluation.seed_mean import mean_over_seeds

BOOTSTRAP_DRAWS = 4000
INTERVAL = (
    "the outermost ends of Student's t over the training seeds, a pigeonhole bootstrap over training seeds and "
    "episodes, and"
)
"""How the ends are found, for the note under a table; what comes last is named there."""


def across_seeds(
    successes: Bool[np.ndarray, "S n"], *, confidence: float = 0.95, draws: int = BOOTSTRAP_DRAWS, seed: int = 0
) -> Estimate:
    """Return the success rate of a recipe that was trained with S seeds and tried on n episodes each.

    Training seeds and episodes are both samples, and every training seed meets the same episodes. The ends are the
    outermost of three intervals:

    - Student's t over the rates of the training seeds (S - 1 degrees of freedom), for how much these scatter; not with
      one seed, which tells nothing of others;
    - the pigeonhole bootstrap, which draws seeds and episodes independently of each other (Owen, 2007, arXiv
      0712.1111), for the episodes that all seeds share. Alone it is too narrow where few seeds scatter: percentiles of
      three drawn seeds know no more than those three;
    - Wilson's interval of all S x n episodes, for the case that all agree.

    Where three training seeds scatter with a standard deviation of 0.15 the ends of a difference hold the truth in 0.97
    and 0.96 of 2,000 simulations with 34 and 100 episodes (bootstrap alone: 0.93 and 0.87). Where seeds do not scatter
    at all they do in 0.99 or more: then they are wider than need be.

    Args:
        successes: row s: the episodes of training seed s, in the same order in each row.
        confidence: 0-1.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        RobosslError: there is no seed or no episode.
    """
    table = np.asarray(successes, np.float64)
    if table.ndim != 2 or table.size == 0:
        raise RobosslError(f"successes must be [training seeds, episodes] with at least one each, got {table.shape}")
    found = percentiles(bootstrap_means(table, draws=draws, seed=seed), confidence=confidence)
    least = wilson(int(table.sum()), table.size, confidence=confidence)
    student = over_seeds(table.mean(axis=1), confidence=confidence)
    return widest(float(table.mean()), [found, least, *student], limits=Interval(0.0, 1.0))


def difference_across_seeds(
    first: Bool[np.ndarray, "S n"],
    second: Bool[np.ndarray, "S n"],
    *,
    confidence: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
    seed: int = 0,
) -> Estimate:
    """Return the difference of two recipes' success rates, paired by training seed and episode.

    The ends are found as in `across_seeds`, of the differences of the pairs, with Newcombe's paired interval of all
    S x n episodes in the place of Wilson's.

    Args:
        first: success of one recipe, row s: the episodes of training seed s.
        second: success of the other, with the same training seeds and episodes in the same places.
        confidence: 0-1.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        RobosslError: the shapes differ.
    """
    one, other = np.asarray(first, bool), np.asarray(second, bool)
    if one.shape != other.shape or one.ndim != 2 or one.size == 0:
        raise RobosslError(f"both must be [training seeds, episodes] of one shape, got {one.shape} and {other.shape}")
    table = one.astype(np.float64) - other
    found = percentiles(bootstrap_means(table, draws=draws, seed=seed), confidence=confidence)
    _, *least = paired_difference(one.ravel(), other.ravel(), confidence=confidence)
    student = over_seeds(table.mean(axis=1), confidence=confidence)
    return widest(float(table.mean()), [found, Interval(*least), *student], limits=Interval(-1.0, 1.0))


def bootstrap_means(table: Float[np.ndarray, "S n"], *, draws: int, seed: int) -> Float[np.ndarray, " draws"]:
    """Return means of the table with rows and columns drawn with replacement, independently of each other."""
    generator = np.random.default_rng(seed)
    num_seeds, n = table.shape
    seed_weights = generator.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), size=draws) / num_seeds
    episode_weights = generator.multinomial(n, np.full(n, 1 / n), size=draws) / n
    return np.einsum("ds,sn,dn->d", seed_weights, table, episode_weights, optimize=True)


def percentiles(values: Float[np.ndarray, " draws"], *, confidence: float) -> Interval:
    """Return the percentile interval of drawn values."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def over_seeds(values: Float[np.ndarray, " S"], *, confidence: float) -> list[Interval]:
    """Return Student's interval of one value for each training seed, or none where there is one seed."""
    if len(values) < 2:
        return []
    _, low, high = mean_over_seeds(values.tolist(), confidence=confidence)
    return [Interval(low, high)]


def widest(value: float, intervals: list[Interval], *, limits: Interval) -> Estimate:
    """Return the value with the outermost ends of all intervals, within what is possible."""
    low, high = min(one.low for one in intervals), max(one.high for one in intervals)
    return Estimate(value, max(limits.low, low), min(limits.high, high))
