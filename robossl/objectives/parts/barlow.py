"""Redundancy reduction between two looks (Barlow Twins, 2021, arXiv 2103.03230)."""

import torch
from jaxtyping import Float
from torch import Tensor

_EPS = 1e-5
"""Added to variances, as BatchNorm does."""


def redundancy(first: Float[Tensor, "N P"], second: Float[Tensor, "N P"], *, off_weight: float) -> Float[Tensor, ""]:
    """Return sum (1 - C_ii)^2 + off_weight x sum C_ij^2 of the cross-correlation C over N rows of all ranks."""
    correlation = _standardized(first).T @ _standardized(second) / max(1, len(first))  # [P,P]
    diagonal = correlation.diagonal()
    off_diagonal = correlation - torch.diag(diagonal)
    return (1 - diagonal).square().sum() + off_weight * off_diagonal.square().sum()


def _standardized(rows: Float[Tensor, "N P"]) -> Float[Tensor, "N P"]:
    return (rows - rows.mean(dim=0)) / (rows.var(dim=0, correction=0) + _EPS).sqrt()
