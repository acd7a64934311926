"""The shape of an encoder's feature map."""

import torch

from robossl.encoders import Encoder
from robossl.errors import ConfigError


def map_shape(encoder: Encoder) -> tuple[int, int, int]:
    """Return (channels, height, width) of the feature map of one frame.

    Raises:
        ConfigError: if the encoder has none.
    """
    blank = torch.zeros(1, 3, *encoder.image_size, dtype=torch.uint8, device=next(encoder.parameters()).device)
    with torch.no_grad():
        try:
            shape = tuple(encoder.feature_map(blank).shape[1:])
        except NotImplementedError:
            shape = ()
    if len(shape) != 3:
        raise ConfigError(
            f"encoder {encoder.architecture!r} has no feature map [C,h,w], which this objective needs; use conv, "
            "resnet18 or vit_tiny, or an objective on features such as paired_looks"
        )
    return shape[0], shape[1], shape[2]
