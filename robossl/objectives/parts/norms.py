"""Euclidean lengths whose gradient stays finite where they are zero."""

from jaxtyping import Float
from torch import Tensor

_SMALLEST = 1e-16
"""Added to squares: a length of zero becomes 1e-8."""


def lengths(rows: Float[Tensor, "*B D"]) -> Float[Tensor, "*B"]:
    """Return the lengths of rows."""
    return (rows.square().sum(dim=-1) + _SMALLEST).sqrt()
