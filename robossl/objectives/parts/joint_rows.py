"""Rows of all ranks that count, for statistics of the whole batch."""

from jaxtyping import Bool, Float
from torch import Tensor

from robossl.objectives.parts.gather import gather


def joint_rows(rows: Float[Tensor, "N D"], valid: Bool[Tensor, " N"]) -> Float[Tensor, "M D"]:
    """Return the valid rows of all ranks; gradients flow back to where a row came from."""
    return gather(rows)[gather(valid)]
