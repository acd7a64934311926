"""Intervals of success rates: of one policy, and of the difference and the ratio of two on the same episodes."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from robossl.errors import RobosslError


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
    (rate1, down1, up1), (rate2, down2, up2), phi = _pair(first, second, confidence=confidence)
    below = np.sqrt(max(0.0, down1**2 - 2 * phi * down1 * up2 + up2**2))
    above = np.sqrt(max(0.0, up1**2 - 2 * phi * up1 * down2 + down2**2))
    difference = rate1 - rate2
    return Estimate(difference, max(-1.0, float(difference - below)), min(1.0, float(difference + above)))


def paired_ratio(
    first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " n"], *, confidence: float = 0.95
) -> Estimate:
    """Return the ratio of two success rates on the same episode seeds, with its interval.

    The hybrid method (Tang, Li and Tang, Confidence interval construction for proportion ratio in paired studies,
    2012): the ends are the ratios R for which the interval of first - R x second, joined as in `paired_difference`,
    ends at 0.
    Where both succeed in all n episodes it goes from Wilson's lower end to one over it.

    Args:
        first: success of each episode, of which the ratio says how many there are.
        second: success of the same episodes that the first are compared with, once or more.
        confidence: 0-1.

    Raises:
        RobosslError: the two are not equally long, or empty, or the second has no success.
    """
    (rate1, down1, up1), (rate2, down2, up2), phi = _pair(first, second, confidence=confidence)
    if rate2 == 0:
        raise RobosslError("there is no ratio to a success rate of 0")
    low = _ratio_end(rate1, rate2, down1, up2, phi, sign=-1)
    return Estimate(rate1 / rate2, low, _ratio_end(rate1, rate2, up1, down2, phi, sign=1))


class _Rate(NamedTuple):
    """A rate, and how far it is to the ends of its interval."""

    value: float
    down: float
    up: float


def _pair(
    first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " n"], *, confidence: float
) -> tuple[_Rate, _Rate, float]:
    """Return both rates with Wilson's intervals, and how the outcomes go together."""
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    if len(first) != len(second) or len(first) == 0:
        raise RobosslError(f"paired comparison needs the same episodes, got {len(first)} and {len(second)}")
    one, other = _rate(first, confidence), _rate(second, confidence)
    return one, other, _correlation(first, second)


def _rate(successes: Bool[np.ndarray, " n"], confidence: float) -> _Rate:
    value = float(successes.mean())
    low, high = wilson(int(successes.sum()), len(successes), confidence=confidence)
    return _Rate(value, value - low, high - value)


def _ratio_end(rate1: float, rate2: float, span1: float, span2: float, phi: float, *, sign: int) -> float:
    """Return the root of (rate1 - R rate2)^2 = span1^2 - 2 phi span1 R span2 + (R span2)^2 on one side of the ratio."""
    square, middle, rest = rate2**2 - span2**2, rate1 * rate2 - phi * span1 * span2, rate1**2 - span1**2
    root = max(0.0, middle**2 - square * rest) ** 0.5
    if sign > 0:
        return (middle + root) / square
    return max(0.0, rest) / (middle + root) if middle + root > 0 else 0.0


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
