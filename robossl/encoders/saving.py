"""An encoder on disk: `model.safetensors` for the weights, `card.json` for everything needed to use them."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from robossl.encoders.build import build_encoder
from robossl.encoders.encoder import Encoder
from robossl.encoders.weight_files import open_weight_file
from robossl.errors import ConfigError, EncoderError

WEIGHTS = "model.safetensors"
CARD = "card.json"
FORMAT = 1


def save_encoder(encoder: Encoder, path: str | Path, card_extra: Mapping[str, Any] | None = None) -> Path:
    """Write the encoder as a directory, complete or not at all.

    Args:
        encoder: to be written.
        path: of the directory; an earlier encoder there is replaced.
        card_extra: further JSON values for the card: digests of the training data, the config, the step.

    Returns:
        The directory.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        weights = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
        save_file(weights, temporary / WEIGHTS)
        card = {**(card_extra or {}), **_card(encoder)}
        (temporary / CARD).write_text(json.dumps(card, indent=2) + "\n")
        temporary.chmod(0o755)  # mkdtemp makes it private
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return path


def load_card(path: str | Path) -> dict[str, Any]:
    """Return the card of an encoder directory.

    Raises:
        EncoderError: if there is none, or it can't be read.
    """
    card_path = Path(path) / CARD
    if not card_path.is_file():
        raise EncoderError(f"no encoder at {path}: {CARD} is missing; pass the encoder/ directory of a pretraining run")
    try:
        card = json.loads(card_path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EncoderError(f"the card {card_path} is not valid JSON ({error}); save the encoder again") from error
    missing = [key for key in ("architecture", "arguments") if not isinstance(card, dict) or key not in card]
    if missing:
        raise EncoderError(f"the card {card_path} lacks {', '.join(missing)}; save the encoder again")
    return card


def load_encoder(path: str | Path, *, image_size: tuple[int, int] | None = None) -> Encoder:
    """Return the encoder that was saved at `path`, in evaluation mode on the CPU.

    Args:
        path: an encoder directory, or a file with the weights of a ResNet, see `open_weight_file`.
        image_size: [px], refuse an encoder of another (height, width).

    Raises:
        EncoderError: if the directory is not an encoder, is damaged, or has another size; in one line.
    """
    path = Path(path)
    if path.is_file() and (path.parent / CARD).is_file():  # its card says how the weights are used
        raise EncoderError(f"{path} is a file of an encoder directory; pass {path.parent}")
    encoder = open_weight_file(path) if path.is_file() else _from_directory(path)
    if image_size is not None and encoder.image_size != tuple(image_size):
        raise EncoderError(
            f"the encoder {path} takes images of {encoder.image_size} px, not {tuple(image_size)}; "
            "collect at its size or pretrain one of yours"
        )
    return encoder.eval()


def _from_directory(path: Path) -> Encoder:
    card = load_card(path)
    try:
        encoder = build_encoder(card["architecture"], **card["arguments"])
    except (TypeError, ValueError, RuntimeError, ConfigError) as error:
        reason = " ".join(str(error).split())
        raise EncoderError(f"the card {path / CARD} describes no encoder ({reason}); save the encoder again") from error
    try:
        weights = load_file(path / WEIGHTS)
    except (OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise EncoderError(f"can't read {path / WEIGHTS} ({reason}); save the encoder again") from error
    _check_weights(encoder, weights, path)
    encoder.load_state_dict(weights)
    return encoder


def _card(encoder: Encoder) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "architecture": encoder.architecture,
        "arguments": encoder.arguments,
        "image_size": list(encoder.image_size),
        "feature_dim": encoder.feature_dim,
        "num_parameters": sum(parameter.numel() for parameter in encoder.parameters()),
        "preprocessing": {
            "input": "uint8 RGB [B,3,H,W]",
            "resize": "antialiased, to image_size",
            "mean": encoder.mean.flatten().tolist(),
            "std": encoder.std.flatten().tolist(),
        },
        "robossl_version": version("robossl"),
    }


def _check_weights(encoder: Encoder, weights: Mapping[str, Any], path: Path) -> None:
    expected = {name: list(value.shape) for name, value in encoder.state_dict().items()}
    found = {name: list(value.shape) for name, value in weights.items()}
    for name in expected.keys() | found.keys():
        if expected.get(name) != found.get(name):
            raise EncoderError(
                f"the weights in {path} don't fit their card: {name} is {found.get(name)}, expected "
                f"{expected.get(name)}; take weights and card from the same run"
            )
