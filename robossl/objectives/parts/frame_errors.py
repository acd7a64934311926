"""Frames in 0-1, and how far predicted ones are from them."""

from jaxtyping import Bool, Float, UInt8
from torch import Tensor


def unit_frames(pixels: UInt8[Tensor, "*B C H W"], like: Tensor) -> Float[Tensor, "*B C H W"]:
    """Return frames in 0-1, of the type of `like`."""
    return pixels.to(like.dtype) / 255


def frame_errors(predicted: Float[Tensor, "*B C H W"], truth: Float[Tensor, "*B C H W"]) -> Float[Tensor, "*B"]:
    """Return the mean squared error of each frame."""
    return (predicted - truth).square().mean(dim=(-3, -2, -1))


def mean_psnr_db(errors: Float[Tensor, " N"], valid: Bool[Tensor, " N"]) -> float:
    """Return the mean over valid frames of the frame's dB, RGB in 0-1; 0 if there is none."""
    psnr_db = -10 * (errors.detach() + 1e-10).log10()
    return float(psnr_db[valid].mean()) if bool(valid.any()) else 0.0
