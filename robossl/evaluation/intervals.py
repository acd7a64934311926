"""Intervals of success rates: of one policy, of two on the same episodes, and of a recipe over training seeds."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from robossl.errors import RobosslError

BOOTSTRAP_DRAWS = 4000


class Interval(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A value and its interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Return the score interval of a rate (Wilson, 1927): right for small n and for rates near 0 and 1.

    Args:
        successes: 0..n.
        n: independent episodes; 0 gives (0, 1).
        confidence: 0-1.

    Raises:
        RobosslError: successes are not within 0..n.
    """
    if not 0 <= successes <= n:
        raise RobosslError(f"{successes} successes of {n} episodes can't be: successes must be 0 to {n}")
    if n == 0:
        return Interval(0.0, 1.0)
    z = _quantile(confidence)
    rate = successes / n
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    # at 0 and n the exact end is the rate itself; rounding must not leave 1e-17 there
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    high = 1.0 if successes == n else min(1.0, float(centre + half))
    return Interval(low, high)


def paired_difference(
    first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " n"], *, confidence: float = 0.95
) -> Estimate:
    """Return the difference of two success rates on the same episode seeds, with its interval.

    Newcombe's score interval for paired rates (Improved confidence intervals for the difference between binomial
    proportions based on paired data, 1998, method 10): the two Wilson intervals joined, with the correlation that comes
    from sharing the episodes.

    Args:
        first: success of each episode under one policy.
        second: success of the same episodes under the other.
        confidence: 0-1.

    Raises:
        RobosslError: the two are not equally long, or empty.
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    if len(first) != len(second) or len(first) == 0:
        raise RobosslError(f"paired comparison needs the same episodes, got {len(first)} and {len(second)}")
    n = len(first)
    rates = first.mean(), second.mean()
    (low1, high1), (low2, high2) = (wilson(int(part.sum()), n, confidence=confidence) for part in (first, second))
    phi = _correlation(first, second)
    difference = float(rates[0] - rates[1])
    down1, up1, down2, up2 = rates[0] - low1, high1 - rates[0], rates[1] - low2, high2 - rates[1]
    below = np.sqrt(max(0.0, down1**2 - 2 * phi * down1 * up2 + up2**2))
    above = np.sqrt(max(0.0, up1**2 - 2 * phi * up1 * down2 + down2**2))
    return Estimate(difference, max(-1.0, float(difference - below)), min(1.0, float(difference + above)))


def across_seeds(
    successes: Bool[np.ndarray, "S n"], *, confidence: float = 0.95, draws: int = BOOTSTRAP_DRAWS, seed: int = 0
) -> Estimate:
    """Return the success rate of a recipe that was trained with S seeds and tried on n episodes each.

    Training seeds and episodes are both samples, and every training seed meets the same episodes. So both are drawn
    with replacement, independently of each other (the pigeonhole bootstrap, Owen, 2007, arXiv 0712.1111; it errs on
    the wide side). The result is never narrower than Wilson's interval of all S x n episodes, which also covers the
    case that all agree. With 3 training seeds their spread is itself badly known: show every seed beside it.

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
    rates = _bootstrap(table, draws=draws, seed=seed).clip(0, 1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(rates, [tail, 1 - tail])
    least = wilson(int(table.sum()), table.size, confidence=confidence)
    return Estimate(float(table.mean()), min(float(low), least.low), max(float(high), least.high))


def difference_across_seeds(
    first: Bool[np.ndarray, "S n"],
    second: Bool[np.ndarray, "S n"],
    *,
    confidence: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
    seed: int = 0,
) -> Estimate:
    """Return the difference of two recipes' success rates, paired by training seed and episode.

    The pigeonhole bootstrap of `across_seeds` on the differences of the pairs.

    Args:
        first: success of one recipe, row s: the episodes of training seed s.
        second: success of the other, with the same training seeds and episodes in the same places.
        confidence: 0-1.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        RobosslError: the shapes differ.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape or one.ndim != 2 or one.size == 0:
        raise RobosslError(f"both must be [training seeds, episodes] of one shape, got {one.shape} and {other.shape}")
    differences = _bootstrap(one - other, draws=draws, seed=seed)
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return Estimate(float((one - other).mean()), float(low), float(high))


def _bootstrap(table: Float[np.ndarray, "S n"], *, draws: int, seed: int) -> Float[np.ndarray, " draws"]:
    """Return means of the table with rows and columns drawn with replacement, independently of each other."""
    generator = np.random.default_rng(seed)
    num_seeds, n = table.shape
    seed_weights = generator.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), size=draws) / num_seeds
    episode_weights = generator.multinomial(n, np.full(n, 1 / n), size=draws) / n
    return np.einsum("ds,sn,dn->d", seed_weights, table, episode_weights, optimize=True)


def _correlation(first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " n"]) -> float:
    """Return the phi coefficient, shrunk as Newcombe does: a positive one by a continuity correction."""
    n = len(first)
    both, only1 = int((first & second).sum()), int((first & ~second).sum())
    only2, neither = int((~first & second).sum()), int((~first & ~second).sum())
    margins = (both + only1) * (only2 + neither) * (both + only2) * (only1 + neither)
    if margins == 0:
        return 0.0
    product = both * neither - only1 * only2
    if product > 0:
        return max(product - n / 2, 0.0) / margins**0.5
    return product / margins**0.5


def _quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise RobosslError(f"confidence is {confidence}; it must lie between 0 and 1, for example 0.95")
    return NormalDist().inv_cdf(0.5 + confidence / 2)
