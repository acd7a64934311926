"""The network of the heads that sample: a noisy chunk, its time and the context to a chunk."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.policies.heads.head import HeadSpec

TIME_WIDTH = 32


class Denoiser(nn.Module):
    """Residual MLP whose layers are scaled and shifted by context and time (FiLM: Perez et al. 2018, arXiv 1709.07871).

    Its width is the first number of `hidden`, its depth how many there are, and one.
    """

    def __init__(self, context_size: int, spec: HeadSpec) -> None:
        super().__init__()
        self.shape = spec.chunk_length, spec.action_dim
        width, flat = spec.hidden[0], spec.chunk_length * spec.action_dim
        self.condition = nn.Sequential(
            nn.Linear(context_size + TIME_WIDTH, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(spec.dropout)
        )
        self.inward = nn.Linear(flat, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(len(spec.hidden) + 1))
        self.outward = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, flat))

    def forward(
        self, noisy: Float[Tensor, "B K A"], time: Float[Tensor, " B"], context: Float[Tensor, "B C"]
    ) -> Float[Tensor, "B K A"]:
        """Return what the head's loss asks for; time is 0-1."""
        condition = self.condition(torch.cat([context, _embedded(time)], dim=1))
        hidden = self.inward(noisy.flatten(1))
        for block in self.blocks:
            hidden = block(hidden, condition)
        return self.outward(hidden).unflatten(1, self.shape)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.film = nn.Linear(width, 2 * width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, hidden: Float[Tensor, "B W"], condition: Float[Tensor, "B W"]) -> Float[Tensor, "B W"]:
        scale, shift = self.film(condition).chunk(2, dim=1)
        return hidden + self.mlp(self.norm(hidden) * (1 + scale) + shift)


def _embedded(time: Float[Tensor, " B"]) -> Float[Tensor, "B T"]:
    """Return sines and cosines of a time in 0-1."""
    rates = torch.exp(torch.linspace(0, math.log(1000.0), TIME_WIDTH // 2, device=time.device))
    angles = time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
