"""A recurrent head: what was seen in the last steps, one after the other."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.policies.heads.head import HeadSpec, RegressionHead


class RecurrentHead(RegressionHead):
    """A GRU over the features of the last steps, then the whole chunk at once.

    As BC-RNN (Mandlekar et al. 2021, arXiv 2108.03298) with a GRU for its LSTM, and with a memory of
    `num_observation_steps` that moves along, where theirs is emptied every few steps. Proprio and state of now
    join after it. Its width is the first number of `hidden`, its layers are how many there are.
    """

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__(sizes, spec)
        self.num_now = spec.proprio_dim + spec.state_dim
        seen = sum(self.sizes) - self.num_now
        width, depth = spec.hidden[0], len(spec.hidden)
        between = spec.dropout if depth > 1 else 0.0
        self.recurrent = nn.GRU(seen // spec.num_observation_steps, width, depth, batch_first=True, dropout=between)
        self.out = nn.Linear(width + self.num_now, spec.chunk_length * spec.action_dim)

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return the chunk."""
        seen, now = context.tensor_split([context.shape[1] - self.num_now], dim=1)
        steps = seen.unflatten(1, (self.spec.num_observation_steps, -1))  # [B,T,VD]
        remembered = self.recurrent(steps)[0][:, -1]
        chunk = self.out(torch.cat([remembered, now], dim=1))
        return chunk.unflatten(1, (self.spec.chunk_length, self.spec.action_dim))
