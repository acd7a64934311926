"""Cycle consistency in time between two clips (TCC, 2019, arXiv 1904.07846), in its regression form."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_SMALLEST_VARIANCE = 1e-6
"""Of a place in parts of the clip: a soft neighbour that is sure would divide by zero."""


def cycle_errors(
    there: Float[Tensor, "B T P"],
    back: Float[Tensor, "B T P"],
    *,
    valid: Bool[Tensor, "B T"],
    back_valid: Bool[Tensor, "B T"],
    temperature: float,
    variance_weight: float,
) -> Float[Tensor, "B T"]:
    """Return (i - mu)^2 / s^2 + variance_weight x log s^2 for each frame i of `there`.

    Frame i has a soft nearest neighbour in `back`; that has soft neighbours in `there`, whose mean place is mu and
    whose variance is s^2. Places are in parts of the clip. The softmax is over -distance^2 / (P temperature).
    """
    num, size = there.shape[1:]
    to_back = _squared_distances(there, back).masked_fill(~back_valid[:, None, :], torch.inf)
    neighbour = (-to_back / (size * temperature)).softmax(dim=-1) @ back  # [B,T,P]
    to_there = _squared_distances(neighbour, there).masked_fill(~valid[:, None, :], torch.inf)
    shares = (-to_there / (size * temperature)).softmax(dim=-1)  # [B,T,T]
    place = torch.arange(num, device=there.device, dtype=there.dtype) / num
    mean = shares @ place  # [B,T]
    variance = (shares * (place - mean[..., None]).square()).sum(dim=-1).clamp(min=_SMALLEST_VARIANCE)
    return (place - mean).square() / variance + variance_weight * variance.log()


def _squared_distances(a: Float[Tensor, "B n P"], b: Float[Tensor, "B m P"]) -> Float[Tensor, "B n m"]:
    return (a[:, :, None] - b[:, None]).square().sum(dim=-1)
