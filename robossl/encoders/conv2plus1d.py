"""The video backbone: convolutions over space, each followed by one over time."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from robossl.encoders.conv import ConvEncoder, Pooling
from robossl.encoders.encoder import ImageSize
from robossl.errors import EncoderError

LAYERS_PER_BLOCK = 3
"""Convolution, norm, ReLU."""


class Conv2Plus1dEncoder(ConvEncoder):
    """The stack of `conv`, whose blocks also look back in time.

    R(2+1)D in its factors (Tran et al., A closer look at spatiotemporal convolutions for action recognition, 2018,
    arXiv 1711.11248). Other than there it is causal and keeps its rate: the features of a frame depend on that frame
    and the `num_before` ones before it, so it serves prediction, and robots. Before its first frame a clip stands
    still, so a single image is a clip that stands still.
    """

    name = "conv2plus1d"

    def __init__(
        self,
        *,
        image_size: int | ImageSize = 64,
        feature_dim: int = 128,
        widths: Sequence[int] = (32, 64, 128, 128),
        strides: Sequence[int] | None = None,
        pooling: Pooling = "flatten",
        num_keypoints: int = 32,
        num_taps: int = 3,
    ) -> None:
        """Build the stack.

        Args:
            image_size, feature_dim, widths, strides, pooling, num_keypoints: as for `conv`.
            num_taps: frames that each block looks at, the one itself among them; at least 2.

        Raises:
            EncoderError: as for `conv`, or if a block would see one frame only.
        """
        if num_taps < 2:
            raise EncoderError(f"num_taps must be at least 2, got {num_taps}; for single frames use conv")
        super().__init__(
            image_size=image_size,
            feature_dim=feature_dim,
            widths=widths,
            strides=strides,
            pooling=pooling,
            num_keypoints=num_keypoints,
        )
        self.arguments["num_taps"] = num_taps
        self.num_before = len(widths) * (num_taps - 1)
        self.over_time = nn.ModuleList(_OverTime(width, num_taps) for width in widths)

    def from_picture(self) -> Iterable[nn.Module]:
        """Return each block's layers over space, then that over time; the pooling is last."""
        for number, over_time in enumerate(self.over_time):
            yield self._over_space(number)
            yield over_time
        yield self.pooling

    def clip_map(self, pixels: UInt8[Tensor, "B T 3 H W"]) -> Float[Tensor, "B T C h w"]:
        """Return the maps of the last block, each frame with what came before it."""
        images = self.preprocess(pixels.flatten(0, 1))
        return self._maps(images, num_frames=pixels.shape[1]).unflatten(0, pixels.shape[:2])

    def encode_clip(self, pixels: UInt8[Tensor, "B T 3 H W"]) -> Float[Tensor, "B T D"]:
        """Return the features of each frame with what came before it."""
        return self.pool(self.clip_map(pixels).flatten(0, 1)).unflatten(0, pixels.shape[:2])

    def map_from_input(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B C h2 w2"]:
        """Return the maps of images that stand still."""
        return self._maps(images, num_frames=1)

    def _maps(self, images: Float[Tensor, "BT 3 h w"], *, num_frames: int) -> Float[Tensor, "BT C h2 w2"]:
        for number, over_time in enumerate(self.over_time):
            images = over_time(self._over_space(number)(images), num_frames=num_frames)
        return images

    def _over_space(self, block: int) -> nn.Module:
        start = LAYERS_PER_BLOCK * block
        return self.layers[start : start + LAYERS_PER_BLOCK]


class _OverTime(nn.Module):
    """A convolution over the last frames at each place, added to the frame itself."""

    def __init__(self, channels: int, num_taps: int) -> None:
        super().__init__()
        self.num_taps = num_taps
        self.mix = nn.Conv2d(num_taps * channels, channels, kernel_size=1, bias=False)
        self.norm = nn.GroupNorm(8, channels)

    def forward(self, maps: Float[Tensor, "BT C h w"], *, num_frames: int) -> Float[Tensor, "BT C h w"]:
        clips = maps.unflatten(0, (-1, num_frames))  # [B,T,C,h,w]
        before = clips[:, :1].expand(-1, self.num_taps - 1, -1, -1, -1)
        padded = torch.cat([before, clips], dim=1)
        taps = [padded[:, tap : tap + num_frames] for tap in range(self.num_taps)]
        mixed = self.mix(torch.cat(taps, dim=2).flatten(0, 1))
        return maps + torch.relu(self.norm(mixed))
