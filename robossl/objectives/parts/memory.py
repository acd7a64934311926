"""Embeddings of the last steps, as more negatives than a batch holds."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from robossl.objectives.parts.gather import gather


class Memory(nn.Module):
    """The last embeddings of all ranks, in a ring. They age by a few steps, in which an encoder hardly changes.

    Cross-Batch Memory (2020, arXiv 1912.06798), filled from the first step on.

    Args:
        size: M, how many are kept; 0: none.
        dim: P.
    """

    rows: Float[Tensor, "M P"]
    episode: Int64[Tensor, " M"]
    time_s: Float[Tensor, " M"]
    valid: Bool[Tensor, " M"]

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(size, dim))
        self.register_buffer("episode", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("time_s", torch.zeros(size))
        self.register_buffer("valid", torch.zeros(size, dtype=torch.bool))

    @torch.no_grad()
    def add(
        self,
        rows: Float[Tensor, "N P"],
        *,
        episode: Int64[Tensor, " N"],
        time_s: Float[Tensor, " N"],
        valid: Bool[Tensor, " N"],
    ) -> None:
        """Put the rows of all ranks first, of length 1, and drop the oldest."""
        size = len(self.valid)
        new = {"rows": functional.normalize(rows, dim=1), "episode": episode, "time_s": time_s, "valid": valid}
        for name, values in new.items():
            kept = self.get_buffer(name)
            joined = torch.cat([gather(values).to(kept.dtype), kept])[:size]
            setattr(self, name, joined)  # not in place: the loss still needs what was there
