"""A deeper plain head: an MLP of residual blocks."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.policies.heads.head import HeadSpec, RegressionHead


class ResidualBlock(nn.Module):
    """Adds what two layers make of the normalized input, as the feed-forward part of a pre-norm transformer."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, hidden: Float[Tensor, "B W"]) -> Float[Tensor, "B W"]:
        """Return the input and what the block adds."""
        return hidden + self.layers(hidden)


class ResidualHead(RegressionHead):
    """Gives the whole chunk at once, as `MlpHead`; what it reads is not normalized away by its first layer.

    Its width is the first number of `hidden`, its blocks are how many there are.
    """

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__(sizes, spec)
        width = spec.hidden[0]
        self.project = nn.Linear(sum(self.sizes), width)
        self.blocks = nn.Sequential(*(ResidualBlock(width, spec.dropout) for _ in spec.hidden))
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, spec.chunk_length * spec.action_dim))

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return the chunk."""
        chunk = self.out(self.blocks(self.project(context)))
        return chunk.unflatten(1, (self.spec.chunk_length, self.spec.action_dim))
