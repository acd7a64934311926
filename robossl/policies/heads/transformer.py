"""A transformer head: one query for each action of the chunk."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.policies.heads.head import HeadSpec, RegressionHead

NUM_HEADS = 4


class TransformerHead(RegressionHead):
    """The decoder of action chunking with transformers (Zhao et al. 2023, arXiv 2304.13705).

    Each part of the context is a token: features of each view, proprio, state. Learned queries, one for each action of
    the chunk, attend to them and to each other. Their variational encoder of the demonstrated style is left out: it
    tells apart the styles of human operators, and sampling heads (`flow`, `diffusion`) do that here.

    Its width is the first number of `hidden`, its depth how many there are.
    """

    def __init__(self, sizes: Sequence[int], spec: HeadSpec) -> None:
        super().__init__(sizes, spec)
        width = spec.hidden[0]
        self.project = nn.ModuleList(nn.Linear(size, width) for size in self.sizes)
        self.kind_of_token = nn.Parameter(0.02 * torch.randn(len(self.sizes), width))
        self.queries = nn.Parameter(torch.randn(spec.chunk_length, width))
        layer = nn.TransformerDecoderLayer(
            width, NUM_HEADS, 2 * width, spec.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.decoder = nn.TransformerDecoder(layer, len(spec.hidden), norm=nn.LayerNorm(width))
        self.out = nn.Linear(width, spec.action_dim)

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return the chunk."""
        parts = context.split(self.sizes, dim=1)
        tokens = [project(part) for project, part in zip(self.project, parts, strict=True)]
        memory = torch.stack(tokens, dim=1) + self.kind_of_token  # [B,T,W]
        queries = self.queries.expand(len(context), -1, -1)
        return self.out(self.decoder(queries, memory))
