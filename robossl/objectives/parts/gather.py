"""Batches that are spread over processes, seen as one. Without `torch.distributed` everything here does nothing."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch import distributed as dist


def world_size() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this process."""
    return dist.get_rank() if world_size() > 1 else 0


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, local: Tensor) -> Tensor:
        parts = [torch.empty_like(local) for _ in range(world_size())]
        dist.all_gather(parts, local.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # what every rank's loss says about this rank's rows
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        return total.chunk(world_size())[rank()]


def gather(local: Tensor) -> Tensor:
    """Return the rows `[N,...]` of all ranks as `[WN,...]`, in the order of ranks.

    Gradients flow back to the rank that a row came from.

    Every rank must hold equally many rows.
    """
    if world_size() == 1:
        return local
    if local.dtype == torch.bool:  # not every backend moves booleans
        return _Gather.apply(local.to(torch.uint8)).bool()
    return _Gather.apply(local)


def joint_mean(values: Float[Tensor, " N"], valid: Bool[Tensor, " N"]) -> Float[Tensor, ""]:
    """Return this rank's share of the mean over the valid values of all ranks.

    The mean of the shares over the ranks (which is what DDP makes of gradients) is the mean over the joint batch, also
    where ranks hold different numbers of valid values. 0 if nothing is valid.
    """
    count = valid.sum().to(values.dtype)
    if world_size() > 1:
        dist.all_reduce(count)
    kept = torch.where(valid, values, torch.zeros_like(values))
    return kept.sum() * world_size() / count.clamp(min=1)
