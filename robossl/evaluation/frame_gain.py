"""How much better than a copy of the last frame predictions are, in decibels, in both conventions, with intervals."""

import numpy as np
from jaxtyping import Float, Int64

BOOTSTRAP_DRAWS = 2000
MAX_PSNR_DB = 100.0
"""What identical frames count as, as usual."""


def psnr_db(errors: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
    """Return the PSNR of mean squared errors, colours in 0-1."""
    return -10 * np.log10(np.maximum(errors, 10 ** (-MAX_PSNR_DB / 10)))


def frame_gain(
    errors: Float[np.ndarray, " N"],
    copy_errors: Float[np.ndarray, " N"],
    episode: Int64[np.ndarray, " N"],
    *,
    confidence: float = 0.95,
) -> dict[str, float]:
    """Return PSNR of predictions and of copies, and the gain of one over the other with its interval.

    `psnr_db` and so on: mean over frames of the frame's dB, where a frame at rest counts as much as any. `pooled_...`:
    dB of the mean squared error of all frames, which frames in motion decide. Intervals are percentiles over episodes
    drawn with replacement: frames of one episode are alike, so with few episodes they are wide.

    Args:
        errors: mean squared error of each predicted frame, colours in 0-1.
        copy_errors: of the last frame seen, in its place.
        episode: that each frame is of.
        confidence: 0-1.
    """
    names, place = np.unique(episode, return_inverse=True)
    columns = np.stack([psnr_db(errors), psnr_db(copy_errors), errors, copy_errors, np.ones(len(errors))])
    sums = np.stack([np.bincount(place, column, minlength=len(names)) for column in columns])  # [5,E]
    drawn = np.random.default_rng(0).integers(len(names), size=(BOOTSTRAP_DRAWS, len(names)))
    gains = {key: _gains(sums[:, drawn].sum(axis=-1))[key] for key in ("gain_db", "pooled_gain_db")}
    ours, copied, ours_pooled, copied_pooled = _levels(sums.sum(axis=-1))
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    result = {
        "psnr_db": float(ours),
        "copy_psnr_db": float(copied),
        "pooled_psnr_db": float(ours_pooled),
        "pooled_copy_psnr_db": float(copied_pooled),
    }
    for key, value in _gains(sums.sum(axis=-1)).items():
        low, high = np.quantile(gains[key], tails)
        result |= {key: float(value), f"{key}_low": float(low), f"{key}_high": float(high)}
    return result


def _levels(sums: Float[np.ndarray, "5 ..."]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    ours, copied, error, copy_error = sums[:4] / sums[4]
    return ours, copied, psnr_db(error), psnr_db(copy_error)


def _gains(sums: Float[np.ndarray, "5 ..."]) -> dict[str, np.ndarray]:
    ours, copied, ours_pooled, copied_pooled = _levels(sums)
    return {"gain_db": ours - copied, "pooled_gain_db": ours_pooled - copied_pooled}
