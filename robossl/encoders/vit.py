"""ViT-tiny and ViT-small through timm, with small patches for small frames."""

import timm
from jaxtyping import Float
from torch import Tensor

from robossl.encoders.encoder import IMAGENET_MEAN, IMAGENET_STD, Encoder, ImageSize, as_image_size
from robossl.encoders.pooling import FlattenPool
from robossl.errors import EncoderError


class VitEncoder(Encoder):
    """timm's `vit_tiny_patch16_224` with another patch and image size; its patch tokens are the feature map."""

    name = "vit_tiny"

    def __init__(
        self, *, image_size: int | ImageSize = 64, feature_dim: int = 192, patch_size: int = 8, depth: int = 12
    ) -> None:
        """Build the network.

        Args:
            image_size: [px], multiples of the patch size.
            feature_dim: D; the patch tokens are flattened and led to D by a linear layer.
            patch_size: [px].
            depth: number of blocks.

        Raises:
            EncoderError: if patches don't tile the image.
        """
        size = as_image_size(image_size)
        if size[0] % patch_size or size[1] % patch_size:
            raise EncoderError(f"image_size {size} must be a multiple of patch_size {patch_size}")
        super().__init__(
            architecture=self.name,
            arguments={
                "image_size": list(size),
                "feature_dim": feature_dim,
                "patch_size": patch_size,
                "depth": depth,
            },
            image_size=size,
            feature_dim=feature_dim,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
        )
        self.map_size = (size[0] // patch_size, size[1] // patch_size)
        self.backbone = timm.create_model(
            f"{self.name}_patch16_224",
            pretrained=False,
            img_size=size,
            patch_size=patch_size,
            depth=depth,
            num_classes=0,
            class_token=False,
            global_pool="",
        )
        self.pooling = FlattenPool(self.backbone.embed_dim, self.map_size, feature_dim=feature_dim)

    def map_from_input(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B C h2 w2"]:
        """Return the patch tokens at their places."""
        tokens = self.backbone.forward_features(images)  # [B,hw,C]
        return tokens.transpose(1, 2).unflatten(2, self.map_size)

    def pool(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Return the pooled map."""
        return self.pooling(feature_map)


class VitSmallEncoder(VitEncoder):
    """timm's `vit_small_patch16_224` in the same way."""

    name = "vit_small"
