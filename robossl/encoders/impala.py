"""The residual convolutions of IMPALA, which reinforcement learning from pixels often builds on."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from robossl.encoders.conv import Pooling
from robossl.encoders.encoder import PLAIN_MEAN, PLAIN_STD, Encoder, ImageSize, as_image_size
from robossl.encoders.pooling import FlattenPool, SpatialSoftmaxPool
from robossl.errors import EncoderError


class ImpalaEncoder(Encoder):
    """IMPALA, 2018, arXiv 1802.01561: stages of a convolution, a maximum over places and two residual blocks.

    Other than there the pooling may be a spatial softmax, and LayerNorm follows the linear layer of a flattened map.
    """

    def __init__(
        self,
        *,
        image_size: int | ImageSize = 64,
        feature_dim: int = 256,
        widths: Sequence[int] = (16, 32, 32),
        pooling: Pooling = "flatten",
        num_keypoints: int = 32,
    ) -> None:
        """Build the stages.

        Args:
            image_size: [px].
            feature_dim: D.
            widths: channels of each stage, which halves the map.
            pooling: `flatten` or `spatial_softmax`.
            num_keypoints: K of `spatial_softmax`.

        Raises:
            EncoderError: if there is no stage, or the images are too small for them.
        """
        size = as_image_size(image_size)
        if not widths or min(size) < 2 ** len(widths):
            raise EncoderError(f"widths {list(widths)} halve images of {size} px too often; give 1 to 6 stages")
        super().__init__(
            architecture="impala",
            arguments={
                "image_size": list(size),
                "feature_dim": feature_dim,
                "widths": list(widths),
                "pooling": pooling,
                "num_keypoints": num_keypoints,
            },
            image_size=size,
            feature_dim=feature_dim,
            mean=PLAIN_MEAN,
            std=PLAIN_STD,
        )
        pairs = zip((3, *widths[:-1]), widths, strict=True)
        self.stages = nn.Sequential(*(_stage(incoming, outgoing) for incoming, outgoing in pairs), nn.ReLU())
        halved = 2 ** len(widths)
        map_size = (-(-size[0] // halved), -(-size[1] // halved))
        self.pooling: nn.Module = (
            FlattenPool(widths[-1], map_size, feature_dim=feature_dim)
            if pooling == "flatten"
            else SpatialSoftmaxPool(widths[-1], map_size, feature_dim=feature_dim, num_keypoints=num_keypoints)
        )

    def map_from_input(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B C h2 w2"]:
        """Return the map of the last stage."""
        return self.stages(images)

    def pool(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Return the pooled map."""
        return self.pooling(feature_map)


def _stage(incoming: int, outgoing: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(incoming, outgoing, kernel_size=3, padding=1),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        _Residual(outgoing),
        _Residual(outgoing),
    )


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel_size=3, padding=1),
        )

    def forward(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C h w"]:
        return feature_map + self.layers(feature_map)
