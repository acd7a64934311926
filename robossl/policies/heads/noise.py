"""Noise that is the same on every device."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def normal(shape: Sequence[int], *, like: Tensor, generator: torch.Generator | None) -> Float[Tensor, "..."]:
    """Return standard normal numbers, drawn on the CPU, where `like` lies and of its type."""
    return torch.randn(tuple(shape), generator=generator).to(like)
