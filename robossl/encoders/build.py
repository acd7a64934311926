"""From a name and plain arguments to an encoder."""

from typing import Any

from robossl.config.checked import checked_arguments
from robossl.encoders.encoder import Encoder
from robossl.errors import EncoderError, closest

ENCODER_NAMES = ("conv", "conv2plus1d", "impala", "resnet18", "resnet50", "vit_tiny", "vit_small")


def build_encoder(name: str = "conv", **arguments: Any) -> Encoder:
    """Return a fresh encoder.

    Args:
        name: one of `ENCODER_NAMES`.
        arguments: of its constructor: `image_size`, `feature_dim` and what is its own.

    Raises:
        ConfigError: if an argument is unknown, or its value is another type or out of range.
        EncoderError: if the name is unknown, or the sizes do not go together.
    """
    kind = _kind(name)
    return kind(**checked_arguments(kind.__init__, arguments, where=f"encoder {name!r}"))


def _kind(name: str) -> type[Encoder]:
    """Return the class; imported only here, since timm takes a second."""
    match name:
        case "conv":
            from robossl.encoders.conv import ConvEncoder

            return ConvEncoder
        case "conv2plus1d":
            from robossl.encoders.conv2plus1d import Conv2Plus1dEncoder

            return Conv2Plus1dEncoder
        case "impala":
            from robossl.encoders.impala import ImpalaEncoder

            return ImpalaEncoder
        case "resnet18" | "resnet50":
            from robossl.encoders.resnet import ResNet50Encoder, ResNetEncoder

            return ResNetEncoder if name == "resnet18" else ResNet50Encoder
        case "vit_tiny" | "vit_small":
            from robossl.encoders.vit import VitEncoder, VitSmallEncoder

            return VitEncoder if name == "vit_tiny" else VitSmallEncoder
        case _:
            allowed = ", ".join(ENCODER_NAMES)
            raise EncoderError(f"encoder {name!r} is unknown; use one of {allowed}{closest(name, ENCODER_NAMES)}")
