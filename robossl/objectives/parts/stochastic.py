"""What may happen next as a normal distribution: a prior from the past, a posterior that also sees the frame."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Normal:
    """Mean and logarithm of the variance of independent normal numbers."""

    mean: Float[Tensor, "B Z"]
    log_variance: Float[Tensor, "B Z"]

    def sample(self, noise: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
        """Return numbers of the distribution from standard normal ones."""
        return self.mean + (self.log_variance / 2).exp() * noise


class NormalHead(nn.Module):
    """From a state to a distribution."""

    def __init__(self, incoming: int, dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(incoming, 2 * dim)

    def forward(self, state: Float[Tensor, "B D"]) -> Normal:
        """Return the distribution; its variance stays between exp(-8) and exp(8)."""
        mean, log_variance = self.layer(state).chunk(2, dim=-1)
        return Normal(mean=mean, log_variance=8 * torch.tanh(log_variance / 8))


def divergence(posterior: Normal, prior: Normal) -> Float[Tensor, " B"]:
    """Return KL(posterior || prior), summed over the numbers."""
    difference = (posterior.mean - prior.mean).square()
    ratio = (posterior.log_variance.exp() + difference) / prior.log_variance.exp()
    return 0.5 * (prior.log_variance - posterior.log_variance + ratio - 1).sum(dim=-1)
