"""A policy on disk: `policy.json` (card), `model.safetensors` (head and statistics) and the encoder it stands on."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from robossl.encoders import load_encoder, save_encoder
from robossl.errors import RobosslError
from robossl.policies.card_check import FORMAT, fault_of, fault_of_execution
from robossl.policies.chunking import Execution
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork

CARD = "policy.json"
WEIGHTS = "model.safetensors"
ENCODER = "encoder"
ENCODER_PREFIX = "encoder."


@dataclass(frozen=True, kw_only=True)
class ExecutionSpec:
    """How the chunks of a policy are executed; stored in its card."""

    execution: Execution = "receding"
    execute_steps: int = 1
    rate: float = 0.1


def save_policy(
    network: PolicyNetwork, path: str | Path, *, execution: ExecutionSpec, card_extra: Mapping[str, Any] | None = None
) -> Path:
    """Write the policy as a directory that needs nothing else, complete or not at all.

    Args:
        network: the fitted network.
        path: of the directory; an earlier policy there is replaced.
        execution: how its chunks are to be executed.
        card_extra: further JSON values for the card, such as digests of encoder and demonstrations.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        weights = {
            name: value.detach().cpu().contiguous()
            for name, value in network.state_dict().items()
            if not name.startswith(ENCODER_PREFIX)
        }
        save_file(weights, temporary / WEIGHTS)
        if network.encoder is not None:
            save_encoder(network.encoder, temporary / ENCODER)
        card = {
            **(card_extra or {}),
            "format": FORMAT,
            "head": network.spec.as_json(),
            "cameras": list(network.cameras),
            "image_size": None if network.encoder is None else list(network.encoder.image_size),
            "execution": asdict(execution),
            "robossl_version": version("robossl"),
        }
        (temporary / CARD).write_text(json.dumps(card, indent=2) + "\n")
        temporary.chmod(0o755)  # mkdtemp makes it private
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return path


def load_policy_card(path: str | Path) -> dict[str, Any]:
    """Return the card of a policy directory.

    Raises:
        RobosslError: there is none, it can't be read, or what it holds is of another kind.
    """
    card_path = Path(path) / CARD
    if not card_path.is_file():
        raise RobosslError(
            f"no policy at {path}: {CARD} is missing; pass the policy/ directory of a finetuning run, or expert, "
            "play or random"
        )
    try:
        card = json.loads(card_path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RobosslError(f"the card {card_path} is not valid JSON ({error}); finetune again") from error
    if fault := fault_of(card):
        raise RobosslError(f"the card {card_path} {fault}; finetune again")
    return card


def load_policy(path: str | Path) -> tuple[PolicyNetwork, ExecutionSpec]:
    """Return the network, in evaluation mode on the CPU, and how its chunks are executed.

    Raises:
        RobosslError: the directory holds no policy, or a damaged one; in one line.
    """
    path = Path(path)
    card = load_policy_card(path)
    size = card.get("image_size")  # missing in policies of the first version
    encoder = load_encoder(path / ENCODER, image_size=size and tuple(size)) if card["cameras"] else None
    try:
        head = HeadSpec(**{**card["head"], "hidden": tuple(card["head"]["hidden"])})
        execution = ExecutionSpec(**card["execution"])
        network = PolicyNetwork(head, encoder=encoder, cameras=card["cameras"])
    except (TypeError, KeyError, RuntimeError) as error:
        raise RobosslError(f"the card {path / CARD} describes no policy ({error}); finetune again") from error
    if fault := fault_of_execution(card["execution"], chunk_length=head.chunk_length):
        raise RobosslError(f"the card {path / CARD} {fault}; finetune again")
    try:
        weights = load_file(path / WEIGHTS)
        missing, unexpected = network.load_state_dict(weights, strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise RobosslError(f"can't read {path / WEIGHTS} ({reason}); finetune again") from error
    missing = [name for name in missing if not name.startswith(ENCODER_PREFIX)]
    if missing or unexpected:
        names = ", ".join([*missing, *unexpected])
        raise RobosslError(f"the weights in {path} don't fit their card ({names}); take both from the same run")
    return network.eval(), execution
