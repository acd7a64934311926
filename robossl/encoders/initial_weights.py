"""Weights that somebody else trained, from a file on this machine, as the start of an encoder."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from robossl.encoders.encoder import Encoder
from robossl.encoders.saving import CARD, load_encoder
from robossl.errors import EncoderError

WRAPPERS = ("state_dict", "model", "model_state_dict", "module", "r3m")
"""What checkpoints put around their weights."""
PREFIXES = ("module.", "model.", "backbone.", "encoder.", "convnet.")
"""What wrapped modules put before the names, also several of them: R3M's are `module.convnet.layer1...`."""


def load_initial_weights(encoder: Encoder, path: Path) -> None:
    """Copy weights into an encoder: an encoder directory of the same architecture, or a file for its backbone.

    A file (`.safetensors`, or what `torch.load` reads without running code) holds the backbone under the names of timm
    and torchvision, bare or wrapped as R3M's; classifiers and what else it holds are left out. The layers after the
    backbone stay fresh.

    Raises:
        EncoderError: the file can't be read, or lacks tensors of the backbone, or they have other shapes.
    """
    if (path / CARD).is_file():
        target, found = encoder.state_dict(), load_encoder(path).state_dict()
    else:
        backbone = getattr(encoder, "backbone", None)
        if backbone is None:
            raise EncoderError(
                f"weights {path}: encoder {encoder.architecture!r} starts only from an encoder directory; a file is "
                "for resnet18, resnet50, vit_tiny and vit_small"
            )
        target, found = backbone.state_dict(), _plain(_read(path))
    wrong = [name for name, value in target.items() if name not in found or found[name].shape != value.shape]
    if wrong:
        have = f"{list(found[wrong[0]].shape)} there" if wrong[0] in found else "not there"
        raise EncoderError(
            f"weights {path} don't fit {encoder.architecture!r}: {len(wrong)} of {len(target)} tensors, the "
            f"first {wrong[0]!r} is {have}, {list(target[wrong[0]].shape)} here; for ImageNet weights set norm=batch, "
            "and for a ViT its image and patch size"
        )
    with torch.no_grad():
        for name, value in target.items():
            value.copy_(found[name])


def _read(path: Path) -> Any:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError, pickle.UnpicklingError) as error:
        raise EncoderError(f"can't read weights {path} ({str(error).splitlines()[0]}); give tensors only") from error


def _plain(values: Any) -> dict[str, Tensor]:
    """Return the tensors by their bare names."""
    while isinstance(values, Mapping) and (inside := next((k for k in WRAPPERS if _wraps(values, k)), None)):
        values = values[inside]
    if not isinstance(values, Mapping):
        return {}
    return {_bare(str(name)): value for name, value in values.items() if isinstance(value, Tensor)}


def _wraps(values: Mapping[str, Any], key: str) -> bool:
    return isinstance(values.get(key), Mapping)


def _bare(name: str) -> str:
    while prefix := next((prefix for prefix in PREFIXES if name.startswith(prefix)), None):
        name = name.removeprefix(prefix)
    return name
