"""A head that samples by flow matching."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robossl.policies.heads.head import Loss, chunk_loss
from robossl.policies.heads.sampling import SamplingHead


class FlowHead(SamplingHead):
    """Learns the straight way from noise to a chunk and walks it (Lipman et al. 2023, arXiv 2210.02747; as the actions
    of pi-0, Black et al. 2024, arXiv 2410.24164): between noise x0 and chunk x1, at x = (1 - t) x0 + t x1, the wanted
    velocity is x1 - x0. Where demonstrations do one thing or another, it does one of them and not their mean.
    """

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return a chunk: `sampling_steps` steps along the velocity."""
        chunk = self.start(context, generator)
        count = self.spec.sampling_steps
        for step in range(count):
            time = torch.full((len(context),), step / count, device=context.device)
            chunk = chunk + self.denoiser(chunk, time, context) / count
        return chunk

    def loss(
        self,
        context: Float[Tensor, "B C"],
        targets: Float[Tensor, "B K A"],
        valid: Bool[Tensor, "B K"],
        *,
        kind: Loss,
        generator: torch.Generator,
    ) -> Float[Tensor, ""]:
        """Return the mean squared error of the velocity; `kind` has no say, since only that gives the right flow."""
        noise = self.noise(targets, generator)
        time = torch.rand(len(targets), generator=generator).to(targets)
        mixed = torch.lerp(noise, targets, time[:, None, None])
        return chunk_loss(self.denoiser(mixed, time, context), targets - noise, valid, kind="mse")
