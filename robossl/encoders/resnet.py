"""ResNet-18 and ResNet-50 through timm, for larger images and for a GPU."""

import timm
from jaxtyping import Float
from torch import Tensor, nn

from robossl.encoders.encoder import IMAGENET_MEAN, IMAGENET_STD, Encoder, ImageSize, as_image_size
from robossl.encoders.pooling import FlattenPool


class ResNetEncoder(Encoder):
    """timm's `resnet18`; pooled by the mean over places, or flattened so that positions stay readable."""

    name, channels = "resnet18", 512

    def __init__(
        self,
        *,
        image_size: int | ImageSize = 64,
        feature_dim: int = 512,
        norm: str = "group",
        pretrained: bool = False,
    ) -> None:
        """Build the network.

        Args:
            image_size: [px].
            feature_dim: D; as many as the map has channels (512, for ResNet-50 2048) means the mean over places, any
                other number a linear layer over the flattened map.
            norm: `group` (frames of a batch stay independent of each other) or `batch` (as in the ImageNet weights).
            pretrained: load timm's ImageNet weights (needs the network and `norm="batch"`).
        """
        size = as_image_size(image_size)
        super().__init__(
            architecture=self.name,
            arguments={"image_size": list(size), "feature_dim": feature_dim, "norm": norm},
            image_size=size,
            feature_dim=feature_dim,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
        )
        layer = {} if norm == "batch" else {"norm_layer": "groupnorm"}
        self.backbone = timm.create_model(self.name, pretrained=pretrained, num_classes=0, global_pool="", **layer)
        map_size = (-(-size[0] // 32), -(-size[1] // 32))
        self.pooling: nn.Module = (
            nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
            if feature_dim == self.channels
            else FlattenPool(self.channels, map_size, feature_dim=feature_dim)
        )

    def map_from_input(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B C h2 w2"]:
        """Return the map of the last stage, 32 times smaller than the image."""
        return self.backbone(images)

    def pool(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Return the pooled map."""
        return self.pooling(feature_map)


class ResNet50Encoder(ResNetEncoder):
    """timm's `resnet50`."""

    name, channels = "resnet50", 2048
