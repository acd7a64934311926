"""A mean over training seeds with its interval."""

from collections.abc import Sequence

import numpy as np

from robossl.evaluation.intervals import Estimate


def mean_over_seeds(values: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """Return the mean of one number for each seed with Student's interval; without ends for a single seed."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"))
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half)
