"""Parts of frames that an encoder does not see."""

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from robossl.errors import ConfigError

_GREY = 128
"""What hidden pixels are replaced by: a constant, so that nothing of them is left."""


def grid_of(image_size: tuple[int, int], block_px: int) -> tuple[int, int]:
    """Return how many blocks an image has in height and width.

    Raises:
        ConfigError: if blocks don't tile the image.
    """
    if any(side % block_px for side in image_size):
        raise ConfigError(f"block_px is {block_px}; it must divide image_size {image_size}")
    return image_size[0] // block_px, image_size[1] // block_px


def random_mask(numbers: Float[Tensor, "B hw"], *, grid: tuple[int, int], share: float) -> Bool[Tensor, "B h w"]:
    """Hide the blocks of the smallest numbers: the same share of each image, at least one, and never all."""
    total = grid[0] * grid[1]
    count = min(max(1, round(share * total)), total - 1)
    mask = torch.zeros_like(numbers, dtype=torch.bool)
    mask.scatter_(1, numbers.argsort(dim=1)[:, :count], True)
    return mask.unflatten(1, grid)


def rectangle_mask(numbers: Float[Tensor, "B n 3"], *, grid: tuple[int, int], share: float) -> Bool[Tensor, "B h w"]:
    """Hide n rectangles of about `share` of the image each, aspect 0.75 to 1.5; the first block stays if all would go.

    Args:
        numbers: in [0, 1): of aspect, row and column.
        grid: blocks in height and width.
        share: of one rectangle.
    """
    height, width = grid
    aspect = 0.75 + 0.75 * numbers[..., 0]
    tall = (share * height * width * aspect).sqrt().round().clamp(1, height)  # [B,n]
    wide = (share * height * width / aspect).sqrt().round().clamp(1, width)
    top = (numbers[..., 1] * (height - tall + 1)).floor()
    left = (numbers[..., 2] * (width - wide + 1)).floor()
    rows = torch.arange(height, device=numbers.device)[:, None]
    columns = torch.arange(width, device=numbers.device)

    def inside(place: Tensor, start: Tensor, size: Tensor) -> Tensor:
        return (place >= start[..., None, None]) & (place < (start + size)[..., None, None])

    mask = (inside(rows, top, tall) & inside(columns, left, wide)).any(dim=1)
    mask[:, 0, 0] &= ~mask.flatten(1).all(dim=1)
    return mask


def on_pixels(mask: Bool[Tensor, "B h w"], block_px: int) -> Bool[Tensor, "B H W"]:
    """Return the mask for each pixel."""
    return mask.repeat_interleave(block_px, dim=1).repeat_interleave(block_px, dim=2)


def hidden(
    pixels: UInt8[Tensor, "B T C H W"], mask: Bool[Tensor, "B h w"], *, block_px: int
) -> UInt8[Tensor, "B T C H W"]:
    """Return frames whose masked blocks are grey, the same ones in all frames of a clip."""
    return pixels.masked_fill(on_pixels(mask, block_px)[:, None, None], _GREY)


def blocks_of(frames: Float[Tensor, "*B C H W"], block_px: int) -> Float[Tensor, "*B h w C p"]:
    """Return frames as blocks of p pixels."""
    cut = frames.unflatten(-1, (-1, block_px)).unflatten(-3, (-1, block_px))  # [*B,C,h,b,w,b]
    *lead, channels, high, _, wide, _ = range(cut.ndim)
    order = (*lead, high, wide, channels, high + 1, wide + 1)
    return cut.permute(order).flatten(-2)
