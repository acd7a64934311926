"""A head that samples by denoising diffusion."""

import math
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robossl.policies.heads.head import Loss, chunk_loss
from robossl.policies.heads.sampling import SamplingHead

NUM_TIMES = 100
"""Noise levels of training."""


class DiffusionHead(SamplingHead):
    """Predicts the noise in a chunk (Chi et al. 2023, Diffusion policy, arXiv 2303.04137): squared-cosine schedule
    (Nichol and Dhariwal 2021, arXiv 2102.09672), `sampling_steps` deterministic steps of DDIM (Song et al. 2021, arXiv
    2010.02502). Where demonstrations do one thing or another, it does one of them and not their mean.
    """

    def forward(
        self, context: Float[Tensor, "B C"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B K A"]:
        """Return a chunk, from noise."""
        chunk = self.start(context, generator)
        times = (
            torch.linspace(NUM_TIMES - 1, -1, self.spec.sampling_steps + 1).round().long().unique_consecutive().tolist()
        )
        for time, after in pairwise(times):
            keeps, keeps_after = signal_kept(time), signal_kept(after)
            level = torch.full((len(context),), time / NUM_TIMES, device=context.device)
            noise = self.denoiser(chunk, level, context)
            clean = (chunk - math.sqrt(1 - keeps) * noise) / math.sqrt(keeps)
            clean = clean.clamp(-self.spec.furthest, self.spec.furthest)
            noise = (chunk - math.sqrt(keeps) * clean) / math.sqrt(1 - keeps)  # that of the clamped chunk
            chunk = math.sqrt(keeps_after) * clean + math.sqrt(1 - keeps_after) * noise
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
        """Return the mean squared error of the noise; `kind` has no say, since only that gives the right density."""
        noise = self.noise(targets, generator)
        times = torch.randint(NUM_TIMES, (len(targets),), generator=generator)
        keeps = _KEPT[times].to(targets)[:, None, None]
        noisy = keeps.sqrt() * targets + (1 - keeps).sqrt() * noise
        level = times.to(targets) / NUM_TIMES
        return chunk_loss(self.denoiser(noisy, level, context), noise, valid, kind="mse")


def signal_kept(time: int) -> float:
    """Return the share of the signal's power that is left at a noise level, 1 (clean, at -1) to 0 (noise)."""
    if time < 0:
        return 1.0
    offset = 0.008
    return max(
        1e-4,
        math.cos(((time + 1) / NUM_TIMES + offset) / (1 + offset) * math.pi / 2) ** 2
        / math.cos(offset / (1 + offset) * math.pi / 2) ** 2,
    )


_KEPT = torch.tensor([signal_kept(time) for time in range(NUM_TIMES)], dtype=torch.float64)
"""Of each noise level."""
