"""Augmentations for learning policies: a draw for each clip, so that what moves in it goes on moving as it did."""

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from robossl.errors import ConfigError


def check_shift(shift_px: int, frame_size: tuple[int, int]) -> None:
    """Refuse shifts that would push most of a picture out of view.

    Raises:
        ConfigError: says how far one may go.
    """
    height_px, width_px = frame_size
    largest_px = min(frame_size) // 2
    if shift_px > largest_px:
        raise ConfigError(
            f"shift_px is {shift_px}, but the encoder sees frames of {height_px} x {width_px} px; it must be 0 to "
            f"{largest_px}, half of their smaller side"
        )


def random_shift(clips: UInt8[Tensor, "B T 3 H W"], *, pad_px: int, generator: Generator) -> UInt8[Tensor, "B T 3 H W"]:
    """Shift each clip by up to `pad_px` in both directions; the border is repeated.

    Image augmentation is all you need (DrQ), 2020, arXiv 2004.13649. Whole pixels, hence exact.
    """
    if pad_px == 0:
        return clips
    images = clips.flatten(1, 2)
    batch, channels, height, width = images.shape
    shift = torch.randint(2 * pad_px + 1, (2, batch, 1), generator=generator).to(images.device) - pad_px
    rows = (shift[0] + torch.arange(height, device=images.device)).clamp(0, height - 1)  # [B,H]
    columns = (shift[1] + torch.arange(width, device=images.device)).clamp(0, width - 1)  # [B,W]
    moved = images.gather(2, rows[:, None, :, None].expand(-1, channels, -1, width))
    return moved.gather(3, columns[:, None, None, :].expand(-1, channels, height, -1)).view(clips.shape)


def colour_jitter(
    clips: UInt8[Tensor, "B T 3 H W"], *, strength: float, generator: Generator
) -> UInt8[Tensor, "B T 3 H W"]:
    """Scale each clip's contrast and each of its channels, and move its brightness.

    Args:
        clips: the frames.
        strength: half width of every draw, 0-1; 0 changes nothing.
        generator: on the CPU.
    """
    if strength == 0:
        return clips
    draws = (2 * torch.rand((len(clips), 1, 5, 1, 1), generator=generator) - 1).to(clips.device) * strength
    values = clips.float()
    mean = values.mean(dim=(2, 3, 4), keepdim=True)  # of each frame
    values = mean + (values - mean) * (1 + draws[:, :, :1])
    values = values * (1 + 0.5 * draws[:, :, 1:4]) + 128 * draws[:, :, 4:]
    return values.round_().clamp_(0, 255).to(torch.uint8)


def feature_statistics(features: Float[Tensor, "n X"]) -> tuple[Float[Tensor, " X"], Float[Tensor, " X"]]:
    """Return mean and standard deviation of each column, the deviation never so small that noise is blown up."""
    std = features.std(dim=0, correction=0)
    return features.mean(dim=0), std.clamp_min(max(1e-6, 0.01 * float(std.mean())))
