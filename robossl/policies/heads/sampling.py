"""What heads that turn noise into a chunk have in common."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from robossl.policies.heads.denoiser import Denoiser
from robossl.policies.heads.head import Head, HeadSpec


class SamplingHead(Head):
    """A head with a denoiser. Noise is drawn on the CPU, so that it is the same on every device.

    It learns from standard normal noise, and acts from less (Kingma and Dhariwal 2018, Glow, arXiv 1807.03039): chunks
    near the middle of what demonstrations do, in the way that lies nearer, but not their mean.
    """

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__(sizes, spec)
        self.denoiser = Denoiser(sum(self.sizes), spec)

    def noise(self, like: Tensor, generator: torch.Generator | None) -> Float[Tensor, "B K A"]:
        """Return standard normal chunks, as many as `like` has rows, of its type and where it lies."""
        shape = (len(like), self.spec.chunk_length, self.spec.action_dim)
        return torch.randn(shape, generator=generator).to(like)

    def start(self, context: Tensor, generator: torch.Generator | None) -> Float[Tensor, "B K A"]:
        """Return what a chunk is made of: noise, `temperature` times as wide as in training."""
        return self.spec.temperature * self.noise(context, generator)
