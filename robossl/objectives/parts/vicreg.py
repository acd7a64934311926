"""The two terms of VICReg that keep features spread out (2021, arXiv 2105.04906)."""

import torch
from jaxtyping import Float
from torch import Tensor

from robossl.objectives.parts.gather import gather


def variance_term(features: Float[Tensor, "N D"], *, floor: float = 1.0, eps: float = 1e-4) -> Float[Tensor, ""]:
    """Return the mean over dimensions of how far the standard deviation lies below `floor`.

    The statistics are those of the joint batch of all ranks.
    """
    return variance_of(gather(features), floor=floor, eps=eps)


def covariance_term(features: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """Return the squared off-diagonal covariances of the joint batch, summed and divided by D."""
    return covariance_of(gather(features))


def variance_of(rows: Float[Tensor, "N D"], *, floor: float = 1.0, eps: float = 1e-4) -> Float[Tensor, ""]:
    """Return the variance term of rows that hold all ranks' already."""
    deviation = (rows.var(dim=0) + eps).sqrt()
    return torch.relu(floor - deviation).mean()


def covariance_of(rows: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """Return the covariance term of rows that hold all ranks' already."""
    centred = rows - rows.mean(dim=0)
    covariance = centred.T @ centred / max(1, len(rows) - 1)  # [D,D]
    off_diagonal = covariance - torch.diag(covariance.diagonal())
    return off_diagonal.square().sum() / rows.shape[1]


def spread_terms(rows: Float[Tensor, "N D"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return variance and covariance term of rows that hold all ranks'; 0 where two rows are missing."""
    if len(rows) < 2:
        return rows.sum() * 0, rows.sum() * 0
    return variance_of(rows), covariance_of(rows)
