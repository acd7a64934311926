"""Encoders as the configurations of stages name them."""

from pathlib import Path

import torch

from robossl.config.pretrain import PretrainConfig
from robossl.encoders import Encoder, build_encoder, load_card, load_encoder
from robossl.runs import digest_path

RANDOM = "random"


def open_encoder(encoder: str, *, architecture: str, seed: int) -> tuple[Encoder, str]:
    """Return an encoder and the digest of its weights, or what says how they were drawn.

    Args:
        encoder: directory of an encoder, or `random` for fresh weights.
        architecture: what `random` builds: a name, or the directory of an encoder whose architecture is taken.
        seed: of fresh weights.

    Raises:
        EncoderError: there is no such encoder or architecture.
    """
    if encoder != RANDOM:
        return load_encoder(encoder), digest_path(Path(encoder))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if Path(architecture).is_dir():
            card = load_card(architecture)
            return build_encoder(card["architecture"], **card["arguments"]), f"random:{card['architecture']}:{seed}"
        return build_encoder(architecture), f"random:{architecture}:{seed}"


def fresh_encoder(config: PretrainConfig) -> Encoder:
    """Return the encoder that pretraining begins with, its weights drawn from torch's generator."""
    spec = config.encoder
    return build_encoder(spec.name, image_size=config.image_size, feature_dim=spec.feature_dim, **spec.params)
