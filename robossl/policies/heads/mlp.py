"""The plain head: an MLP."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.policies.heads.head import HeadSpec, RegressionHead


class MlpHead(RegressionHead):
    """Gives the whole chunk at once."""

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__(sizes, spec)
        layers: list[nn.Module] = []
        inputs = sum(self.sizes)
        for width in spec.hidden:
            layers += [nn.Linear(inputs, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(spec.dropout)]
            inputs = width
        layers.append(nn.Linear(inputs, spec.chunk_length * spec.action_dim))
        for index, layer in enumerate(layers):  # named as in a plain sequence, as policies on disk have it
            self.add_module(str(index), layer)
        self._layers = tuple(layers)

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return the chunk."""
        for layer in self._layers:
            context = layer(context)
        return context.unflatten(1, (self.spec.chunk_length, self.spec.action_dim))
