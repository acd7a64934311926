"""The start of an encoder: another one of its architecture, or a file of weights for its backbone."""

from pathlib import Path

from robossl.encoders.encoder import Encoder
from robossl.encoders.saving import CARD, load_encoder
from robossl.encoders.weight_files import copy_weights, load_backbone


def load_initial_weights(encoder: Encoder, path: Path) -> None:
    """Copy weights into an encoder: all of an encoder directory, or as `load_backbone` does from a file.

    Raises:
        EncoderError: there are none, or they do not fit.
    """
    if (path / CARD).is_file():
        found = load_encoder(path).state_dict()
        copy_weights(encoder.state_dict(), found, architecture=encoder.architecture, path=path)
    else:
        load_backbone(encoder, path)
