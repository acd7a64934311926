"""What moves before a camera that stands still: frames without their background."""

import numpy as np
from jaxtyping import Int64, UInt8

SAMPLES = 100
"""Frames of an episode whose median its background is, evenly spaced."""
MID_GREY = 128


def evenly(numbers: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " m"]:
    """Return the frame numbers that the background is made of: at most `SAMPLES`."""
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, SAMPLES).round().astype(int))]


def background_of(frames: UInt8[np.ndarray, "n C H W"]) -> UInt8[np.ndarray, "C H W"]:
    """Return the median of frames: what is seen at each place for more than half of the time."""
    return np.median(frames, axis=0).round().astype(np.uint8)


def without(
    frames: UInt8[np.ndarray, "n C H W"], background: UInt8[np.ndarray, "C H W"]
) -> UInt8[np.ndarray, "n C H W"]:
    """Return mid-grey plus what differs from the background; differences beyond half of the range are cut off."""
    change = frames.astype(np.int16) - background
    return np.clip(change + MID_GREY, 0, 255).astype(np.uint8)
