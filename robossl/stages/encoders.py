"""Encoders as the configurations of stages name them."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from robossl.config.pretrain import PretrainConfig
from robossl.encoders import Encoder, build_encoder, load_card, load_encoder
from robossl.runs import digest_path

RANDOM = "random"
logger = logging.getLogger(__name__)


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


def warn_of_new_cameras(encoder: str, cameras: Sequence[str]) -> None:
    """Say where a policy looks through cameras that its encoder was not trained on."""
    if not Path(encoder).is_dir():
        return  # fresh weights, or a file of somebody else's
    seen = load_card(encoder).get("trained_on", {}).get("cameras", cameras)
    if new := [name for name in cameras if name not in seen]:
        told = "encoder %s was trained on pictures of %s, and the policy looks through %s"
        logger.warning(told, encoder, ", ".join(seen), ", ".join(new))


def fresh_encoder(config: PretrainConfig) -> Encoder:
    """Return the encoder that pretraining begins with, its weights drawn from torch's generator."""
    spec = config.encoder
    return build_encoder(spec.name, image_size=config.image_size, feature_dim=spec.feature_dim, **spec.params)
