"""A slow copy of a module, as a target that can't chase itself."""

import copy
import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn


class EmaCopy(nn.Module):
    """Holds an exponential moving average of another module's parameters; never trained itself."""

    def __init__(self, online: nn.Module) -> None:
        super().__init__()
        self.module = copy.deepcopy(online).requires_grad_(False)

    @torch.no_grad()
    def update(self, online: nn.Module, *, momentum: float) -> None:
        """Move towards `online` by `1 - momentum`; buffers are copied."""
        for target, source in zip(self.module.parameters(), online.parameters(), strict=True):
            target.lerp_(source.to(target.dtype), 1 - momentum)
        for kept, buffer in zip(self.module.buffers(), online.buffers(), strict=True):
            kept.copy_(buffer)


def momentum_at(step: int, num_steps: int, *, base: float) -> float:
    """Return the momentum of a step: from `base` along a cosine to 1 (BYOL, 2020, arXiv 2006.07733)."""
    return 1 - (1 - base) * (1 + math.cos(math.pi * min(1.0, step / max(1, num_steps)))) / 2


@torch.no_grad()
def seen_by(module: nn.Module, pixels: UInt8[Tensor, "B n C H W"]) -> Float[Tensor, "B n *D"]:
    """Return what a slow copy (of an encoder, or of one with a head) says of frames."""
    out: Tensor = module(pixels.flatten(0, 1))
    return out.unflatten(0, pixels.shape[:2])
