"""Weights that somebody else trained, from a file on this machine: the backbone of an encoder, or an encoder of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from robossl.encoders.build import build_encoder
from robossl.encoders.encoder import Encoder
from robossl.errors import EncoderError

WRAPPERS = ("state_dict", "model", "model_state_dict", "module", "r3m")
"""What checkpoints put around their weights."""
PREFIXES = ("module.", "model.", "backbone.", "encoder.", "convnet.")
"""What wrapped modules put before the names, also several of them: R3M's are `module.convnet.layer1...`."""
COUNTER = "num_batches_tracked"
"""Of batch norm, which torchvision's files lack and nothing that is used here depends on."""
BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3)}
"""Blocks of each stage."""
Weights = dict[str, Tensor]


def load_backbone(encoder: Encoder, path: Path) -> None:
    """Copy the weights of a file into an encoder's backbone; the layers after it stay fresh.

    Args:
        encoder: with the backbone of timm.
        path: `.safetensors`, or what `torch.load` reads without running code, with the backbone under the names of timm
            and torchvision, bare or wrapped as R3M's; classifiers and what else it holds are left out.

    Raises:
        EncoderError: the encoder has no such backbone, the file can't be read or lacks tensors of it, or they have
            other shapes.
    """
    _fill_backbone(encoder, _read(path), path)


def open_weight_file(path: Path) -> Encoder:
    """Return the ResNet whose weights a file holds, as it was trained: with batch norm, pooled by the mean over places.

    Args:
        path: as for `load_backbone`.

    Raises:
        EncoderError: the file can't be read, or holds neither a ResNet-18 nor a ResNet-50.
    """
    found = _read(path)
    blocks = tuple(_num_blocks(found, stage) for stage in (1, 2, 3, 4))
    kind = "resnet50" if "layer1.0.conv3.weight" in found else "resnet18"
    if blocks != BLOCKS[kind]:
        raise EncoderError(
            f"no encoder at {path}: the file holds neither a resnet18 nor a resnet50 under the names of torchvision; "
            "pass the encoder/ directory of a pretraining run"
        )
    encoder = build_encoder(kind, norm="batch")
    _fill_backbone(encoder, found, path)
    return encoder


def copy_weights(target: Mapping[str, Tensor], found: Mapping[str, Tensor], *, architecture: str, path: Path) -> None:
    """Copy tensors of the same names and shapes, all of the target's or none.

    Raises:
        EncoderError: some are not there or have other shapes.
    """
    needed = {name: value for name, value in target.items() if not name.endswith(COUNTER)}
    wrong = [name for name, value in needed.items() if name not in found or found[name].shape != value.shape]
    if wrong:
        have = f"{list(found[wrong[0]].shape)} there" if wrong[0] in found else "not there"
        raise EncoderError(
            f"weights {path} don't fit {architecture!r}: {len(wrong)} of {len(needed)} tensors, the "
            f"first {wrong[0]!r} is {have}, {list(needed[wrong[0]].shape)} here; for ImageNet weights set norm=batch, "
            "and for a ViT its image and patch size"
        )
    with torch.no_grad():
        for name, value in needed.items():
            value.copy_(found[name])


def _fill_backbone(encoder: Encoder, found: Weights, path: Path) -> None:
    backbone = getattr(encoder, "backbone", None)
    if backbone is None:
        raise EncoderError(
            f"weights {path}: encoder {encoder.architecture!r} starts only from an encoder directory; a file is "
            "for resnet18, resnet50, vit_tiny and vit_small"
        )
    copy_weights(backbone.state_dict(), found, architecture=encoder.architecture, path=path)


def _num_blocks(weights: Weights, stage: int) -> int:
    return len({name.split(".")[1] for name in weights if name.startswith(f"layer{stage}.")})


def _read(path: Path) -> Weights:
    """Return the tensors of a file by their bare names."""
    try:
        values: Any = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except Exception as error:  # the reader of pickles follows what any file says, and raises what comes of it
        raise EncoderError(f"can't read weights {path}: {_why(path, error)}") from error
    while isinstance(values, Mapping) and (inside := next((k for k in WRAPPERS if _wraps(values, k)), None)):
        values = values[inside]
    if not isinstance(values, Mapping):
        return {}
    return {_bare(str(name)): value for name, value in values.items() if isinstance(value, Tensor)}


def _why(path: Path, error: Exception) -> str:
    """Return what is wrong with a file that can't be read, in place of the reader's advice to run its code."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    with path.open("rb") as file:
        start = file.read(32)
    if not start:
        return "the file is empty"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS and not the file itself; fetch that with: git lfs pull"
    if path.suffix == ".safetensors":
        return f"it is no safetensors file, or cut off ({' '.join(str(error).split())})"
    if start.startswith((b"PK", b"\x80")):
        return "it is cut off, or holds more than tensors; save them alone: torch.save(model.state_dict(), path)"
    return f"a file of weights does not begin with {start[:16]!r}"


def _wraps(values: Mapping[str, Any], key: str) -> bool:
    return isinstance(values.get(key), Mapping)


def _bare(name: str) -> str:
    while prefix := next((prefix for prefix in PREFIXES if name.startswith(prefix)), None):
        name = name.removeprefix(prefix)
    return name
