"""Checkpoints: tensors and plain values only, complete or not there."""

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from robossl.errors import TrainingError

NAME = "last.pt"


def write_state(directory: Path, state: Mapping[str, Any], *, fingerprint: str) -> Path:
    """Write `last.pt` under a temporary name, flush it to the disk, and rename it over the earlier one.

    Args:
        directory: made if missing.
        state: tensors and plain values; the state of torch's random numbers is written along.
        fingerprint: of the configuration; a run with another one is not resumed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    random = {
        "cpu_rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    temporary = directory / f".{NAME}.tmp"
    with temporary.open("wb") as file:
        torch.save({**state, **random, "fingerprint": fingerprint}, file)
        file.flush()
        os.fsync(file.fileno())
    path = directory / NAME
    os.replace(temporary, path)
    return path


def read_state(directory: Path, *, fingerprint: str, device: torch.device) -> dict[str, Any] | None:
    """Return what was written last, its tensors on a device, and set torch's random numbers; None if there is nothing.

    Raises:
        TrainingError: if it is damaged or of another configuration.
    """
    path = directory / NAME
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainingError(f"can't read checkpoint {path} ({reason}); delete it to start again") from error
    if state["fingerprint"] != fingerprint:
        raise TrainingError(
            f"checkpoint {path} belongs to another configuration; resume with that one, or choose another output"
        )
    restore_random(state)
    return state


def restore_random(state: Mapping[str, Any]) -> None:
    """Set torch's random numbers to those of a state that was read, where something has seeded them since."""
    torch.set_rng_state(state["cpu_rng"].cpu())
    if state["cuda_rng"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([rng.cpu() for rng in state["cuda_rng"]])


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a checkpoint says beside the weights."""

    step: int
    """The first step that has not been taken."""


def save_checkpoint(directory: Path, *, module: nn.Module, optimizer: Optimizer, step: int, fingerprint: str) -> Path:
    """Write the state of a module and its optimizer as `write_state` does.

    Args:
        directory: made if missing.
        module, optimizer: whose state is kept.
        step: the first step that has not been taken.
        fingerprint: of the configuration; a run with another one is not resumed.
    """
    state = {"step": step, "module": module.state_dict(), "optimizer": optimizer.state_dict()}
    return write_state(directory, state, fingerprint=fingerprint)


def load_checkpoint(
    directory: Path, *, module: nn.Module, optimizer: Optimizer, fingerprint: str, device: torch.device
) -> Restored | None:
    """Restore the last checkpoint of a directory; None if there is none yet.

    Raises:
        TrainingError: if it is damaged or of another configuration.
    """
    state = read_state(directory, fingerprint=fingerprint, device=device)
    if state is None:
        return None
    module.load_state_dict(state["module"])
    optimizer.load_state_dict(state["optimizer"])
    return Restored(step=int(state["step"]))
