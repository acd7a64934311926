"""The heads of policies that were reinforced: what Stable-Baselines3's actors do at their mean."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.policies.heads.head import HeadSpec, RegressionHead


class PpoHead(RegressionHead):
    """Linear layers with ReLU between them; the actions are cut off at -1 and 1 by the network."""

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__(sizes, spec)
        widths = (sum(self.sizes), *spec.hidden)
        self.hidden = nn.Sequential(*(layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())))
        self.mean = nn.Linear(widths[-1], spec.chunk_length * spec.action_dim)

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return the mean actions."""
        return self.mean(self.hidden(context)).unflatten(1, (self.spec.chunk_length, self.spec.action_dim))


class SacHead(PpoHead):
    """The same, squashed by a tanh."""

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return the most likely actions, in [-1, 1]."""
        return super().forward(context, generator).tanh()
