"""The contract of an image encoder: uint8 images of any size in, features out; preprocessing lives inside."""

import os
import shutil
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from robossl.errors import EncoderError
from robossl.resize import resize

ImageSize = tuple[int, int]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PLAIN_MEAN = (0.5, 0.5, 0.5)
PLAIN_STD = (0.25, 0.25, 0.25)


def as_image_size(image_size: int | ImageSize) -> ImageSize:
    """Return (height, width) in pixels; one number means a square.

    Raises:
        EncoderError: if a side is not positive.
    """
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    if height < 1 or width < 1:
        raise EncoderError(f"image_size must be positive (height, width), got {(height, width)}; use for example 64")
    return int(height), int(width)


class Encoder(nn.Module):
    """Maps images `[B,3,H,W]` uint8 to features `[B,D]`; children give the map and how it is pooled."""

    mean: Tensor
    std: Tensor
    num_before = 0
    """Frames before a frame that its features in a clip depend on; 0 unless it is a video backbone."""

    def __init__(
        self,
        *,
        architecture: str,
        arguments: dict[str, Any],
        image_size: int | ImageSize,
        feature_dim: int,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
    ) -> None:
        """Keep what every encoder has.

        Args:
            architecture: the name that `build_encoder` knows it by.
            arguments: plain keyword arguments with which `build_encoder` makes the same encoder again.
            image_size: [px], (height, width) or one number; images of another size are resized to it.
            feature_dim: D.
            mean, std: of each colour channel in 0-1, for the normalization.
        """
        super().__init__()
        self.architecture = architecture
        self.arguments = arguments
        self.image_size = as_image_size(image_size)
        self.feature_dim = feature_dim
        # not persistent: the card holds them, and the weights stay what was learned
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def map_from_input(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B C h2 w2"]:
        """Return the spatial feature map of normalized images of `image_size`."""
        raise NotImplementedError

    def pool(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Return the features of a feature map."""
        raise NotImplementedError

    def from_picture(self) -> Iterable[nn.Module]:
        """Return the parts in the order in which a picture passes through them."""
        return self.children()

    def preprocess(self, images: UInt8[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 h w"]:
        """Resize, scale to 0-1 and normalize.

        Raises:
            EncoderError: if the images are not uint8 [B,3,H,W].
        """
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
            raise EncoderError(
                f"an encoder takes uint8 images [B,3,H,W], got {images.dtype} {list(images.shape)}; "
                "pass the frames as they were read, neither scaled nor with channels last"
            )
        if tuple(images.shape[-2:]) != self.image_size:
            images = resize(images, self.image_size)
        # one fused multiply-add instead of a division, a subtraction and a division
        scaled = torch.addcmul(-self.mean / self.std, images.to(self.mean.dtype), 1 / (255 * self.std))
        return scaled.contiguous(memory_format=torch.channels_last)

    def feature_map(self, images: UInt8[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Return the spatial feature map of images of any size."""
        return self.map_from_input(self.preprocess(images))

    def forward(self, images: UInt8[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Return the features of images of any size."""
        return self.pool(self.feature_map(images))

    def clip_map(self, pixels: UInt8[Tensor, "B T 3 H W"]) -> Float[Tensor, "B T C h w"]:
        """Return the feature maps of clips, frame by frame unless it is a video backbone."""
        return self.feature_map(pixels.flatten(0, 1)).unflatten(0, pixels.shape[:2])

    def encode_clip(self, pixels: UInt8[Tensor, "B T 3 H W"]) -> Float[Tensor, "B T D"]:
        """Return the features of clips, frame by frame unless it is a video backbone."""
        features = self(pixels.flatten(0, 1))  # [BT,D]
        return features.unflatten(0, pixels.shape[:2])


def compile_encoder(encoder: Encoder) -> None:
    """Let torch compile what makes the feature map, in place; weights keep their names.

    Raises:
        EncoderError: there is no C++ compiler, which torch asks for on a CPU and on a GPU.
    """
    if not any(map(shutil.which, (os.environ.get("CXX", "g++"), "g++", "clang++", "cl"))):
        raise EncoderError("compile needs a C++ compiler (g++ or clang++), and none is on the PATH; leave compile off")
    # what the objectives call, other than forward
    setattr(encoder, "map_from_input", torch.compile(encoder.map_from_input))  # noqa: B010 (mypy lets no method be set)
