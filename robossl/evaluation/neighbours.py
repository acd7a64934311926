"""Nearest neighbours in feature space: what an encoder holds to be alike, as pictures."""

import numpy as np
from jaxtyping import Float, Int64, UInt8

GAP_PX = 4


def nearest_in_other_episodes(
    features: Float[np.ndarray, "n D"], episode: Int64[np.ndarray, " n"], queries: Int64[np.ndarray, " Q"], *, k: int
) -> Int64[np.ndarray, "Q k"]:
    """Return for each query the k most alike frames (cosine of centred features), each from another episode.

    Frames of the query's own episode are left out, and of each other episode only its best frame is taken: otherwise
    all neighbours would be the same instant over and over.

    Args:
        features: of all frames.
        episode: that each frame is of.
        queries: row numbers.
        k: neighbours, fewer where there are fewer other episodes.
    """
    centred = features - features.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    chosen = []
    for query in queries:
        similarity = unit @ unit[query]
        best = []
        for other in np.unique(episode):
            if other != episode[query]:
                rows = np.flatnonzero(episode == other)
                best.append(rows[np.argmax(similarity[rows])])
        best.sort(key=lambda row: -similarity[row])
        chosen.append(best[:k])
    return np.array(chosen, np.int64)


def neighbour_strip(
    frames: UInt8[np.ndarray, "n C H W"],
    queries: Int64[np.ndarray, " Q"],
    neighbours: Int64[np.ndarray, "Q k"],
    *,
    scale: int = 2,
) -> UInt8[np.ndarray, "h w C"]:
    """Return one picture: a row for each query, the query first, then its neighbours from the nearest on."""
    rows = []
    for query, near in zip(queries, neighbours, strict=True):
        tiles = [frames[row].transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1) for row in (query, *near)]
        gap = np.full((tiles[0].shape[0], GAP_PX, 3), 255, np.uint8)
        wide_gap = np.full((tiles[0].shape[0], 3 * GAP_PX, 3), 255, np.uint8)
        row_tiles = [tiles[0], wide_gap]
        for tile in tiles[1:]:
            row_tiles += [tile, gap]
        rows += [np.concatenate(row_tiles, axis=1)]
        rows += [np.full((GAP_PX, rows[-1].shape[1], 3), 255, np.uint8)]
    return np.concatenate(rows, axis=0)
