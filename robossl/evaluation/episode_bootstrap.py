"""An interval of any number that is made of frames, where the frames of one episode are alike."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int64

from robossl.errors import RobosslError
from robossl.evaluation.intervals import Estimate


def bootstrap_over_episodes(
    values: Float[np.ndarray, "n ..."],
    episode: Int64[np.ndarray, " n"],
    statistic: Callable[[np.ndarray], float] = lambda values: float(np.median(values)),
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return a statistic of frames with its percentile interval, episodes drawn with replacement (Efron, 1979).

    Args:
        values: of each frame: one number, or several that belong together, such as errors of two methods.
        episode: that a frame is of.
        statistic: of the rows of some frames; by default the median.
        confidence: 0-1.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        RobosslError: there is no frame, or values and episodes differ in number.
    """
    if len(values) == 0 or len(values) != len(episode):
        raise RobosslError(f"a bootstrap needs frames and their episodes, got {len(values)} and {len(episode)}")
    generator = np.random.default_rng(seed)
    rows = [np.flatnonzero(episode == one) for one in np.unique(episode)]
    drawn = []
    for _ in range(draws):
        chosen = generator.integers(len(rows), size=len(rows))
        drawn.append(statistic(values[np.concatenate([rows[number] for number in chosen])]))
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(statistic(values), float(low), float(high))
