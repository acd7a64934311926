"""InfoNCE over pairs of embeddings, with a mask that says who may be whose negative."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.objectives.parts.gather import gather, joint_mean, rank


def negative_mask(
    episode: Int64[Tensor, " N"],
    time_s: Float[Tensor, " N"],
    other_episode: Int64[Tensor, " M"],
    other_time_s: Float[Tensor, " M"],
    *,
    negative_margin_s: float,
) -> Bool[Tensor, "N M"]:
    """Return which of M frames may be negatives of N frames: other episodes, and the same one beyond the margin.

    The comparison is strict, so that a frame of the same instant is never a negative, whatever the margin.
    """
    elsewhere = episode[:, None] != other_episode[None, :]
    # half a millisecond: far below any frame rate, far above rounding of timestamps
    beyond = (time_s[:, None] - other_time_s[None, :]).abs() > negative_margin_s + 5e-4
    return elsewhere | beyond


def pair_info_nce(
    first: Float[Tensor, "N P"],
    second: Float[Tensor, "N P"],
    *,
    episode: Int64[Tensor, " N"],
    first_time_s: Float[Tensor, " N"],
    second_time_s: Float[Tensor, " N"],
    valid: Bool[Tensor, " N"],
    temperature: float,
    negative_margin_s: float,
    same_side_negatives: bool = True,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Contrast each embedding with its partner, against the rows of all pairs and all ranks; symmetric in the sides.

    Args:
        first, second: row i of one is the positive of row i of the other; their length does not matter.
        episode, first_time_s, second_time_s: where the rows come from, for `negative_mask`.
        valid: pairs that are no fillers; others are neither anchors nor negatives.
        temperature: of the softmax over cosines.
        negative_margin_s: frames of one episode this near are never negatives of each other.
        same_side_negatives: whether rows of the anchor's own side are negatives too.

    Returns:
        Loss (this rank's share of the joint mean) and the detached fraction of anchors nearest to their partner.
    """
    num = len(first)
    rows = F.normalize(torch.cat([first, second]), dim=1)  # [2N,P]
    side = torch.arange(2, device=rows.device).repeat_interleave(num)
    here = (episode.repeat(2), torch.cat([first_time_s, second_time_s]))
    all_rows, all_side, all_valid = gather(rows), gather(side), gather(valid.repeat(2))
    allowed = negative_mask(*here, gather(here[0]), gather(here[1]), negative_margin_s=negative_margin_s)
    allowed &= all_valid
    if not same_side_negatives:
        allowed &= side[:, None] != all_side[None, :]
    partner = torch.arange(2 * num, device=rows.device).roll(-num) + rank() * 2 * num
    allowed = allowed.scatter(1, partner[:, None], True)
    logits = (rows @ all_rows.T / temperature).masked_fill(~allowed, -torch.inf)  # [2N,2WN]
    losses = F.cross_entropy(logits, partner, reduction="none")
    hits = (logits.detach().argmax(dim=1) == partner).to(losses.dtype)
    return joint_mean(losses, valid.repeat(2)), joint_mean(hits, valid.repeat(2))


def flat(values: Tensor) -> Tensor:
    """Return `[B,n,...]` as rows `[Bn,...]`."""
    return values.flatten(0, 1)
