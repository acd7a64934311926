"""Random changes of a batch on its device: one draw for each clip and group, so that time stays consistent.

Every draw is a hash of (seed, position of the item in the data order, group, view), so it depends on neither rank,
nor worker, nor what was drawn before. Colours are never permuted: the colour of an object is what tells it apart.
"""

import zlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.data.hashing import normals_of, uniforms_of
from robossl.types import ClipBatch

# weights of red, green and blue in perceived brightness, ITU-R BT.601
_LUMA = (0.299, 0.587, 0.114)


class Augmentations:
    """Shift, colour, blur, noise, cutout and random convolution, each switched off by 0."""

    def __init__(
        self,
        *,
        seed: int,
        shift_px: int = 4,
        brightness: float = 0.2,
        contrast: float = 0.2,
        saturation: float = 0.2,
        blur: float = 0.0,
        noise: float = 0.0,
        cutout: float = 0.0,
        random_conv: float = 0.0,
        shift_views_together: bool = True,
    ) -> None:
        """Set the strengths.

        Args:
            seed: at least 0.
            shift_px: largest shift to each side; uncovered pixels repeat the border.
            brightness: largest shift of all channels, in parts of the full range.
            contrast: largest relative change of the distance from mid-grey.
            saturation: largest relative change of the distance from grey.
            blur: probability of a 3x3 binomial blur of random strength.
            noise: largest standard deviation of added noise, in parts of the full range.
            cutout: probability of one rectangle of a random colour, up to 0.4 of each side.
            random_conv: probability of a random 3x3 filter on each channel (after Lee et al. 2020, arXiv 1910.05396).
            shift_views_together: shift all views of a clip alike, so that position is not made an accident of the look.
        """
        self.seed = seed
        self.shift_px = shift_px
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.blur = blur
        self.noise = noise
        self.cutout = cutout
        self.random_conv = random_conv
        self.shift_views_together = shift_views_together

    def __call__(
        self, batch: ClipBatch, positions: Int64[np.ndarray, " B"], *, keys: Mapping[str, str] | None = None
    ) -> ClipBatch:
        """Return a changed copy.

        Args:
            batch: on any device.
            positions: of its clips in the data order.
            keys: group to the group whose draw it shares (targets look like their context); itself by default.
        """
        pixels = batch.pixels.clone()  # [B,V,T,C,H,W]
        done: set[tuple[int, int]] = set()
        for name, span in batch.groups.items():
            if (span.start, span.stop) in done:
                continue  # a group shared under two names
            done.add((span.start, span.stop))
            key = (keys or {}).get(name, name)
            for view in range(pixels.shape[1]):
                pixels[:, view, span] = self._change(batch.pixels[:, view, span], positions, key, view)
        return replace(batch, pixels=pixels)

    def _change(
        self, frames: UInt8[Tensor, "B n C H W"], positions: Int64[np.ndarray, " B"], key: str, view: int
    ) -> UInt8[Tensor, "B n C H W"]:
        group = zlib.crc32(key.encode())
        shift_view = 0 if self.shift_views_together else view
        if self.shift_px:
            place = uniforms_of(self.seed, positions, (group, shift_view, 0), 2)
            frames = shifted(frames, np.floor(place * (2 * self.shift_px + 1)).astype(np.int64) - self.shift_px)
        changes = (self.brightness, self.contrast, self.saturation, self.blur, self.noise, self.cutout)
        if not any((*changes, self.random_conv)):
            return frames
        u = uniforms_of(self.seed, positions, (group, view, 1), 16)
        images = frames.float().div_(255)
        if self.random_conv:
            images = _random_conv(images, u[:, 0], normals_of(self.seed, positions, (group, view, 2), 27), self)
        if self.brightness or self.contrast or self.saturation:
            images = _recoloured(images, u[:, 1:4], self)
        if self.blur:
            images = _blurred(images, np.where(u[:, 4] < self.blur, u[:, 5], 0))
        if self.noise:
            images = _noisy(images, u[:, 6] * self.noise, u[:, 7:9])
        if self.cutout:
            _cut_out(images, u[:, 9] < self.cutout, u[:, 10:14], u[:, 13:16])
        return images.mul_(255).round_().clamp_(0, 255).to(torch.uint8)


def shifted(frames: UInt8[Tensor, "B n C H W"], offsets_px: Int64[np.ndarray, "B 2"]) -> UInt8[Tensor, "B n C H W"]:
    """Return frames whose content moved up and left by (rows, columns); the border is repeated."""
    height, width = frames.shape[-2:]
    out = torch.empty_like(frames)
    rows, columns = torch.arange(height, device=frames.device), torch.arange(width, device=frames.device)
    for i, (down, right) in enumerate(offsets_px.tolist()):
        row, column = (rows + down).clamp(0, height - 1), (columns + right).clamp(0, width - 1)
        out[i] = frames[i].index_select(-2, row).index_select(-1, column)
    return out


def _column(values: np.ndarray, like: Tensor) -> Tensor:
    """Return one number for each clip, shaped to multiply [B,n,C,H,W]."""
    return torch.as_tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1, 1, 1)


def _recoloured(images: Float[Tensor, "B n C H W"], u: np.ndarray, by: Augmentations) -> Float[Tensor, "B n C H W"]:
    signed = 2 * u - 1  # [B,3] in [-1,1)
    brightness = signed[:, 0] * by.brightness
    contrast = 1 + signed[:, 1] * by.contrast
    saturation = 1 + signed[:, 2] * by.saturation
    grey = np.tile(np.asarray(_LUMA), (3, 1))
    matrix = saturation[:, None, None] * np.eye(3) + (1 - saturation)[:, None, None] * grey  # [B,3,3]
    matrix = contrast[:, None, None] * matrix
    bias = (1 - contrast) / 2 + brightness
    mix = torch.as_tensor(matrix, dtype=images.dtype, device=images.device)[:, None]  # [B,1,3,3]
    return (mix @ images.flatten(3)).add_(_column(bias, images)[..., 0]).unflatten(3, images.shape[3:])


def _blurred(images: Float[Tensor, "B n C H W"], strength: np.ndarray) -> Float[Tensor, "B n C H W"]:
    line = torch.tensor([0.25, 0.5, 0.25], device=images.device)
    kernel = (line[:, None] * line).expand(3, 1, 3, 3)
    padded = F.pad(images.flatten(0, 1), (1, 1, 1, 1), mode="replicate")
    smooth = F.conv2d(padded, kernel, groups=3).view_as(images)
    return torch.lerp(images, smooth, _column(strength, images))


def _noisy(images: Float[Tensor, "B n C H W"], scale: np.ndarray, place: np.ndarray) -> Float[Tensor, "B n C H W"]:
    # one bank of noise, cut at a drawn place for each clip: as random to a network and far cheaper than fresh numbers
    height, width = images.shape[-2:]
    bank = torch.randn(3, 2 * height, 2 * width, generator=torch.Generator().manual_seed(0)).to(images.device)
    cuts = [
        bank[:, (r := int(row * height)) : r + height, (c := int(column * width)) : c + width]
        for row, column in place.tolist()
    ]
    return images.add_(torch.stack(cuts)[:, None].mul(_column(scale, images)))


def _cut_out(images: Float[Tensor, "B n C H W"], chosen: np.ndarray, box: np.ndarray, colour: np.ndarray) -> None:
    height, width = images.shape[-2:]
    for i in np.flatnonzero(chosen):
        rows, columns = int((0.1 + 0.3 * box[i, 0]) * height), int((0.1 + 0.3 * box[i, 1]) * width)
        top, left = int(box[i, 2] * (height - rows + 1)), int(box[i, 3] * (width - columns + 1))
        fill = torch.as_tensor(colour[i], dtype=images.dtype, device=images.device).view(3, 1, 1)
        images[i, :, :, top : top + rows, left : left + columns] = fill


def _random_conv(
    images: Float[Tensor, "B n C H W"], u: np.ndarray, normals: np.ndarray, by: Augmentations
) -> Float[Tensor, "B n C H W"]:
    out = images.clone()
    for i in np.flatnonzero(u < by.random_conv):
        # each channel by itself and flat areas kept: texture and edges change, colours stay
        kernel = torch.as_tensor(0.3 * normals[i], dtype=images.dtype, device=images.device).view(3, 1, 3, 3)
        kernel = kernel - kernel.mean(dim=(2, 3), keepdim=True)
        kernel[:, :, 1, 1] += 1
        out[i] = F.conv2d(F.pad(images[i], (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    return out
