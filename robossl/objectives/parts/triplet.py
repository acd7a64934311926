"""Losses of time-contrastive networks: triplets and n-pairs."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.one_sided import one_sided_info_nce
from robossl.objectives.parts.places import Places


def triplet_loss(
    anchor: Float[Tensor, "N P"],
    positive: Float[Tensor, "N P"],
    negative: Float[Tensor, "N P"],
    *,
    valid: Bool[Tensor, " N"],
    margin: float,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean of max(0, margin + |a - p|^2 - |a - n|^2), and how often the positive is the nearer one."""
    near = (anchor - positive).square().sum(dim=-1)
    far = (anchor - negative).square().sum(dim=-1)
    hits = (near < far).to(near.dtype).detach()
    return joint_mean(torch.relu(margin + near - far), valid), joint_mean(hits, valid)


def n_pairs_loss(
    anchor: Float[Tensor, "N P"],
    positive: Float[Tensor, "N P"],
    places: Places,
    *,
    negative_margin_s: float,
    length_weight: float,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the softmax over dot products plus `length_weight` x 0.25 x mean squared lengths of both sides.

    Sohn, 2016, Improved deep metric learning with multi-class n-pair loss. `places` are those of the positives.
    """
    loss, accuracy = one_sided_info_nce(anchor, positive, places, negative_margin_s=negative_margin_s)
    squares = anchor.square().sum(dim=-1) + positive.square().sum(dim=-1)
    return loss + 0.25 * length_weight * joint_mean(squares, places.valid), accuracy
