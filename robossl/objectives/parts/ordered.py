"""Contrast of three frames in order of time (R3M, 2022, arXiv 2203.12601)."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from robossl.objectives.parts.gather import gather, joint_mean
from robossl.objectives.parts.norms import lengths


def ordered_contrast(
    frames: Float[Tensor, "B 3 D"], *, episode: Int64[Tensor, " B"], valid: Bool[Tensor, " B"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean of two terms: from the last frame, and from the first, the middle one is nearer than the far end.

    The score is minus the Euclidean distance. Negatives beside the far end are the frames of the anchor's own place in
    clips of other episodes, of all ranks: never the anchor itself, nor another clip of its episode.

    Returns:
        Loss (this rank's share of the joint mean) and the detached fraction of anchors nearest to the middle frame.
    """
    other_frames, other_valid = gather(frames), gather(valid)
    allowed = (episode[:, None] != gather(episode)[None, :]) & other_valid  # [B,WB]
    losses, hits = [], []
    for anchor, far in ((2, 0), (0, 2)):
        here = frames[:, anchor]
        near = -lengths(here - frames[:, 1])[:, None]
        same_clip = -lengths(here - frames[:, far])[:, None]
        elsewhere = (-lengths(here[:, None] - other_frames[None, :, anchor])).masked_fill(~allowed, -torch.inf)
        scores = torch.cat([near, same_clip, elsewhere], dim=1)  # [B,2+WB]
        losses.append(scores.logsumexp(dim=1) - scores[:, 0])
        hits.append((scores.detach().argmax(dim=1) == 0).to(scores.dtype))
    mean_loss, mean_hits = (torch.stack(parts).mean(dim=0) for parts in (losses, hits))
    return joint_mean(mean_loss, valid), joint_mean(mean_hits, valid)
