"""Random numbers as a pure function of keys: a counter-based generator for whole batches at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int64, UInt64

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _step(key: int) -> np.uint64:
    return np.uint64((key + 1) * int(_GOLDEN) % (1 << 64))  # in Python's integers: NumPy's scalars warn when they wrap


def _mixed(values: UInt64[np.ndarray, "*n"]) -> UInt64[np.ndarray, "*n"]:
    """Scramble 64 bits: the finalizer of SplitMix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def uniforms_of(
    seed: int, positions: Int64[np.ndarray, " B"], keys: Sequence[int], num: int
) -> Float[np.ndarray, "B num"]:
    """Return `num` uniform numbers in [0, 1) for each position, given by nothing but the arguments."""
    state = _mixed(positions.astype(np.uint64) + _step(seed))
    for key in keys:
        state = _mixed(state + _step(key))
    counters = np.arange(1, num + 1, dtype=np.uint64) * _GOLDEN
    bits = _mixed(state[:, None] + counters)
    return (bits >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def normals_of(
    seed: int, positions: Int64[np.ndarray, " B"], keys: Sequence[int], num: int
) -> Float[np.ndarray, "B num"]:
    """Return `num` standard normal numbers for each position (Box and Muller's transform)."""
    u = uniforms_of(seed, positions, keys, 2 * num)
    return np.sqrt(-2 * np.log1p(-u[:, :num])) * np.cos(2 * np.pi * u[:, num:])
