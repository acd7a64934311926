"""What heads that turn noise into a chunk have in common."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from robossl.policies.heads.denoiser import Denoiser
from robossl.policies.heads.head import Head, HeadSpec


class SamplingHead(Head):
    """A head with a denoiser. Noise is drawn on the CPU, so that it is the same on every device."""

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__(sizes, spec)
        self.denoiser = Denoiser(sum(self.sizes), spec)

    def noise(self, like: Tensor, generator: torch.Generator | None) -> Float[Tensor, "B K A"]:
        """Return standard normal chunks, as many as `like` has rows, of its type and where it lies."""
        shape = (len(like), self.spec.chunk_length, self.spec.action_dim)
        return torch.randn(shape, generator=generator).to(like)
