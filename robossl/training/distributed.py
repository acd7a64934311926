"""One process or many: what `torchrun` says, and a process group for as long as it is needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from robossl.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process among all."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0


def pick_device(name: str) -> torch.device:
    """Return the device of a config's `device`.

    Args:
        name: `auto` (a GPU if there is one), `cpu`, `cuda` or `cuda:N`.

    Raises:
        ConfigError: if the name is unknown or there is no GPU.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not name.startswith("cuda"):
        raise ConfigError(f"device must be auto, cpu or cuda, got {name!r}")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device is {name!r} but torch sees no GPU; use device=auto or cpu")
    if name == "cuda":
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return torch.device(name)


@contextmanager
def processes(device: str = "auto") -> Iterator[Processes]:
    """Join the process group that `torchrun` announces (gloo on CPUs, NCCL on GPUs); alone, do nothing."""
    chosen = pick_device(device)
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield Processes(rank=0, world_size=1, device=chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(rank=dist.get_rank(), world_size=world_size, device=chosen)
        dist.barrier()  # a rank that left while another one still received from it would bring that one down
    finally:
        dist.destroy_process_group()


def joint_average(values: Tensor) -> Tensor:
    """Return the mean of a tensor over the ranks, the same on all of them."""
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        values = values.clone()
        dist.all_reduce(values)
        values /= dist.get_world_size()
    return values


def wait_for_all() -> None:
    """Return when every rank has come here."""
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
