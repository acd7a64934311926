"""Which instant a camera shows, told by the frames of other cameras that filmed the same."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int64


def nearest_instants(
    query: Float[np.ndarray, "n D"], others: Sequence[Float[np.ndarray, "n D"]], *, reach: int = 0, centred: bool = True
) -> Int64[np.ndarray, " n"]:
    """Return for each frame of one camera the number of the most alike frame of the other cameras, whichever it is of.

    Alike is a high cosine. Random order gives an error of a third of the recording on average, always the middle a
    quarter.

    Args:
        query: features of one camera's frames.
        others: of the synchronous cameras.
        reach: frames on each side that are compared with the frame's neighbours and averaged: a question of
            2 reach + 1 frames; 0 asks with one frame.
        centred: take each camera's mean feature off first, so that what is constant in a view, such as its background,
            does not decide. It needs the whole recording of the camera that asks.
    """
    seen = _directions(query, centred)
    alike = np.stack([_along(seen @ _directions(other, centred).T, reach) for other in others])  # [cameras, n, n]
    return alike.max(axis=0).argmax(axis=1)


def instant_error(found: Int64[np.ndarray, " n"]) -> float:
    """Return how many frames the found instants are off on average, where frame k shows instant k."""
    return float(np.abs(found - np.arange(len(found))).mean())


def _directions(features: Float[np.ndarray, "n D"], centred: bool) -> Float[np.ndarray, "n D"]:
    features = np.asarray(features, np.float64)
    if centred:
        features = features - features.mean(axis=0)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def _along(alike: Float[np.ndarray, "n n"], reach: int) -> Float[np.ndarray, "n n"]:
    """Return the mean along each diagonal over `reach` places to both sides; what lies outside counts as 0."""
    total = np.zeros_like(alike)
    for step in range(-reach, reach + 1):
        inside = slice(max(0, -step), len(alike) - max(0, step))
        moved = slice(max(0, step), len(alike) - max(0, -step))
        total[inside, inside] += alike[moved, moved]
    return total / (2 * reach + 1)
