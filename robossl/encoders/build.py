"""From a name and plain arguments to an encoder."""

import inspect
from typing import Any

from robossl.encoders.encoder import Encoder
from robossl.errors import EncoderError, closest

ENCODER_NAMES = ("conv", "resnet18", "vit_tiny")


def build_encoder(name: str = "conv", **arguments: Any) -> Encoder:
    """Return a fresh encoder.

    Args:
        name: one of `ENCODER_NAMES`.
        arguments: of its constructor: `image_size`, `feature_dim` and what is its own.

    Raises:
        EncoderError: if the name or an argument is unknown, or a value is not allowed.
    """
    kind = _kind(name)
    known = [key for key in inspect.signature(kind.__init__).parameters if key != "self"]
    for key in arguments:
        if key not in known:
            raise EncoderError(
                f"encoder {name!r} has no argument {key!r}; it has {', '.join(known)}{closest(key, known)}"
            )
    for key in ("image_size", "widths", "strides"):
        if isinstance(arguments.get(key), list):  # YAML and JSON know no tuples
            arguments[key] = tuple(arguments[key])
    return kind(**arguments)


def _kind(name: str) -> type[Encoder]:
    """Return the class; imported only here, since timm takes a second."""
    match name:
        case "conv":
            from robossl.encoders.conv import ConvEncoder

            return ConvEncoder
        case "resnet18":
            from robossl.encoders.resnet import ResNetEncoder

            return ResNetEncoder
        case "vit_tiny":
            from robossl.encoders.vit import VitEncoder

            return VitEncoder
        case _:
            allowed = ", ".join(ENCODER_NAMES)
            raise EncoderError(f"encoder {name!r} is unknown; use one of {allowed}{closest(name, ENCODER_NAMES)}")
