"""The two terms of VICReg that keep features spread out."""

import torch
from jaxtyping import Float
from torch import Tensor

from robossl.objectives.parts.gather import gather


def variance_term(features: Float[Tensor, "N D"], *, floor: float = 1.0, eps: float = 1e-4) -> Float[Tensor, ""]:
    """Return the mean over dimensions of how far the standard deviation lies below `floor`.

    VICReg, 2021, arXiv 2105.04906. The statistics are those of the joint batch of all ranks.
    """
    deviation = (gather(features).var(dim=0) + eps).sqrt()
    return torch.relu(floor - deviation).mean()


def covariance_term(features: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """Return the squared off-diagonal covariances, summed and divided by D (VICReg, 2021, arXiv 2105.04906)."""
    rows = gather(features)
    rows = rows - rows.mean(dim=0)
    covariance = rows.T @ rows / max(1, len(rows) - 1)  # [D,D]
    off_diagonal = covariance - torch.diag(covariance.diagonal())
    return off_diagonal.square().sum() / features.shape[1]
