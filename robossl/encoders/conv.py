"""The small convolutional encoder, made for 64 px frames and two CPU cores."""

import math
from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from robossl.encoders.encoder import PLAIN_MEAN, PLAIN_STD, Encoder, ImageSize, as_image_size
from robossl.encoders.pooling import FlattenPool, SpatialSoftmaxPool
from robossl.errors import EncoderError

Pooling = Literal["flatten", "spatial_softmax"]


class ConvEncoder(Encoder):
    """A stack of convolutions with GroupNorm and a pooling that keeps positions."""

    name = "conv"

    def __init__(
        self,
        *,
        image_size: int | ImageSize = 64,
        feature_dim: int = 128,
        widths: Sequence[int] = (32, 64, 128, 128),
        strides: Sequence[int] | None = None,
        pooling: Pooling = "flatten",
        num_keypoints: int = 32,
    ) -> None:
        """Build the stack.

        Args:
            image_size: [px].
            feature_dim: D.
            widths: channels of each convolution, multiples of 8.
            strides: of each convolution; by default 2 everywhere, but 1 in the last one for `spatial_softmax`, whose
                coordinates are only as fine as the map.
            pooling: `flatten` or `spatial_softmax`.
            num_keypoints: K of `spatial_softmax`.

        Raises:
            EncoderError: if widths and strides differ in number, or the images are too small for the strides.
        """
        if strides is None:
            strides = (2,) * (len(widths) - 1) + ((2,) if pooling == "flatten" else (1,))
        size = as_image_size(image_size)
        super().__init__(
            architecture=self.name,
            arguments={
                "image_size": list(size),
                "feature_dim": feature_dim,
                "widths": list(widths),
                "strides": list(strides),
                "pooling": pooling,
                "num_keypoints": num_keypoints,
            },
            image_size=size,
            feature_dim=feature_dim,
            mean=PLAIN_MEAN,
            std=PLAIN_STD,
        )
        _check(widths, strides, size)
        map_size = (_shrunk(size[0], strides), _shrunk(size[1], strides))
        self.layers = nn.Sequential(*_blocks(widths, strides))
        match pooling:
            case "flatten":
                self.pooling: nn.Module = FlattenPool(widths[-1], map_size, feature_dim=feature_dim)
            case "spatial_softmax":
                self.pooling = SpatialSoftmaxPool(
                    widths[-1], map_size, feature_dim=feature_dim, num_keypoints=num_keypoints
                )
            case _:
                raise EncoderError(f"pooling {pooling!r} is unknown; use 'flatten' or 'spatial_softmax'")

    def map_from_input(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B C h2 w2"]:
        """Return the map of the last convolution."""
        return self.layers(images)

    def pool(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Return the pooled map."""
        return self.pooling(feature_map)


def _blocks(widths: Sequence[int], strides: Sequence[int]) -> list[nn.Module]:
    blocks: list[nn.Module] = []
    for incoming, outgoing, stride in zip((3, *widths[:-1]), widths, strides, strict=True):
        # ReLU in place and GroupNorm of 8 groups: the fastest of the norms that don't mix the frames of a batch
        blocks += [
            nn.Conv2d(incoming, outgoing, kernel_size=3, stride=stride, padding=1, bias=False),
            nn.GroupNorm(8, outgoing),
            nn.ReLU(inplace=True),
        ]
    return blocks


def _shrunk(side: int, strides: Sequence[int]) -> int:
    for stride in strides:
        side = math.ceil(side / stride)  # a padded 3x3 convolution
    return side


def _check(widths: Sequence[int], strides: Sequence[int], size: ImageSize) -> None:
    if len(widths) != len(strides) or not widths:
        raise EncoderError(f"widths {list(widths)} and strides {list(strides)} must be equally many, at least one")
    if any(width % 8 or width < 8 for width in widths):
        raise EncoderError(f"widths must be multiples of 8 (GroupNorm has 8 groups), got {list(widths)}")
    if min(size) < math.prod(strides):
        raise EncoderError(f"image_size {size} is too small for strides {list(strides)}; use {math.prod(strides)} px")
