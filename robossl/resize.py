"""The one resize of robossl: antialiased, uint8 in and out, the same for files, caches and encoders."""

from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional

Aspect = Literal["stretch", "pad", "crop"]
ASPECTS = ("stretch", "pad", "crop")
CHUNK_IMAGES = 64  # the resize computes in float32; this bounds what it needs at a time


def resize(images: UInt8[Tensor, "*B C H W"], size: int | tuple[int, int], *, aspect: Aspect = "stretch") -> Tensor:
    """Resize images with an antialiased bilinear filter, on their device.

    Args:
        images: uint8 [*, C, H, W].
        size: (H, W), or one number for a square.
        aspect: "stretch" fills the size and lets the aspect ratio go (the default: no part of the picture is lost and
            no pixel wasted); "pad" keeps the ratio and centres the picture on black; "crop" keeps the ratio and cuts
            the centre out.

    Returns:
        uint8 [*, C, *size]; the very same tensor where it has the size already.

    Raises:
        ValueError: the images are not uint8, a size is not positive, or the aspect is not known.
    """
    height, width = image_size(size)
    if images.dtype != torch.uint8 or images.ndim < 3:
        raise ValueError(f"images are {images.dtype} {tuple(images.shape)}, expected uint8 [*, C, H, W]")
    if aspect not in ASPECTS:
        raise ValueError(f"aspect={aspect!r} is not known, allowed are {', '.join(ASPECTS)}")
    if images.shape[-2:] == (height, width):
        return images
    flat = images.reshape(-1, *images.shape[-3:])
    parts = [_resize(part, height, width, aspect) for part in flat.split(CHUNK_IMAGES)]
    return torch.cat(parts).reshape(*images.shape[:-2], height, width)


def image_size(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (H, W) of a size that may be one number.

    Raises:
        ValueError: a side is below 1.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1:
        raise ValueError(f"image size {size} is not possible: both sides must be at least 1 px")
    return height, width


def _resize(images: Tensor, height: int, width: int, aspect: Aspect) -> Tensor:
    rows, columns = images.shape[-2:]
    scales = (height / rows, width / columns)
    if aspect == "stretch":
        return _interpolate(images, height, width)
    scale = min(scales) if aspect == "pad" else max(scales)
    inner_height, inner_width = max(1, round(rows * scale)), max(1, round(columns * scale))
    small = _interpolate(images, inner_height, inner_width)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    if aspect == "crop":
        return small[..., -top : -top + height, -left : -left + width]
    return functional.pad(small, (left, width - inner_width - left, top, height - inner_height - top))


def _interpolate(images: Tensor, height: int, width: int) -> Tensor:
    # float32 and not torch's own uint8 kernel, which rounds otherwise and does not exist on every device
    resized = functional.interpolate(
        images.float(), (height, width), mode="bilinear", antialias=True, align_corners=False
    )
    return resized.round_().clamp_(0, 255).to(torch.uint8)
