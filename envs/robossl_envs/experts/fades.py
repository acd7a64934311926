"""What experts are put together from: fades between phases, and steps."""

import numpy as np
from jaxtyping import Float


def fade(value: float, start: float, stop: float) -> float:
    """Return 1 up to `start`, 0 from `stop` on, and the line in between."""
    return min(max(float((stop - value) / (stop - start)), 0.0), 1.0)


def shortened(way_m: Float[np.ndarray, " K"], longest_m: float) -> Float[np.ndarray, " K"]:
    """Return the way, no longer than this."""
    return way_m * min(1.0, longest_m / max(float(np.linalg.norm(way_m)), 1e-9))
