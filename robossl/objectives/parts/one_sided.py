"""InfoNCE from queries to keys: each query has one key, all other far keys are its negatives."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.objectives.parts.gather import gather, joint_mean, rank
from robossl.objectives.parts.infonce import negative_mask
from robossl.objectives.parts.places import Places


def one_sided_info_nce(
    queries: Float[Tensor, "N P"],
    keys: Float[Tensor, "N P"],
    places: Places,
    *,
    negative_margin_s: float,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Contrast each query with its key against the keys of all ranks; the score is the dot product.

    Args:
        queries, keys: row i of one belongs to row i of the other; scales and temperatures are theirs to hold.
        places: of the keys. Keys of one episode this near to a query's own key are never its negatives.
        negative_margin_s: how near.

    Returns:
        Loss (this rank's share of the joint mean) and the detached fraction of queries whose own key scores best.
    """
    own = torch.arange(len(queries), device=queries.device) + rank() * len(queries)
    there = places.of_all_ranks()
    allowed = negative_mask(
        places.episode, places.time_s, there.episode, there.time_s, negative_margin_s=negative_margin_s
    )
    allowed = (allowed & there.valid).scatter(1, own[:, None], True)
    scores = (queries @ gather(keys).T).masked_fill(~allowed, -torch.inf)  # [N,WN]
    losses = F.cross_entropy(scores, own, reduction="none")
    hits = (scores.detach().argmax(dim=1) == own).to(losses.dtype)
    return joint_mean(losses, places.valid), joint_mean(hits, places.valid)
