"""The loss of value-implicit pretraining (VIP, 2022, arXiv 2210.00030)."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robossl.objectives.parts.gather import gather
from robossl.objectives.parts.norms import lengths


def implicit_value_loss(
    start: Float[Tensor, "B D"],
    now: Float[Tensor, "B D"],
    later: Float[Tensor, "B D"],
    goal: Float[Tensor, "B D"],
    *,
    valid: Bool[Tensor, " B"],
    discount: float,
) -> Float[Tensor, ""]:
    """Return (1 - discount) mean(-V(start)) + log mean exp(-(r + discount V(later) - V(now))) over all ranks' clips.

    V(x) is minus the distance of x from the clip's goal; r is -1, since `now` always lies before the goal.
    """
    values = [-lengths(gather(frame) - gather(goal)) for frame in (start, now, later)]
    kept = gather(valid)
    if not bool(kept.any()):
        return values[0].sum() * 0
    of_start, of_now, of_later = (value[kept] for value in values)
    surprise = -(-1 + discount * of_later - of_now)
    return (1 - discount) * (-of_start).mean() + torch.logsumexp(surprise, dim=0) - math.log(len(surprise))
