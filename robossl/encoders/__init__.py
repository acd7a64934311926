"""Image encoders: uint8 frames of any size in, features out."""

from robossl.encoders.build import ENCODER_NAMES, build_encoder
from robossl.encoders.encoder import Encoder, compile_encoder
from robossl.encoders.initial_weights import load_initial_weights
from robossl.encoders.saving import load_card, load_encoder, save_encoder

__all__ = [
    "ENCODER_NAMES",
    "Encoder",
    "build_encoder",
    "compile_encoder",
    "load_card",
    "load_encoder",
    "load_initial_weights",
    "save_encoder",
]
