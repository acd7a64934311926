"""Tells recorded frames from drawn ones; trained in the same step as what draws them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F  # noqa: N812 (its usual name)


class Discriminator(nn.Module):
    """A score for each place of a pair of frames, the last one seen and the next one."""

    def __init__(self, *, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(6, width, kernel_size=4, stride=4),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, kernel_size=3, stride=2, padding=1),
            nn.GroupNorm(8, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, kernel_size=3, padding=1),
        )

    def forward(self, last: Float[Tensor, "N 3 H W"], frames: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N p"]:
        """Return the scores; high for recorded frames."""
        return self.layers(torch.cat([last, frames], dim=1) * 2 - 1).flatten(1)

    def own_loss(
        self, last: Float[Tensor, "N 3 H W"], drawn: Float[Tensor, "N 3 H W"], truth: Float[Tensor, "N 3 H W"]
    ) -> Float[Tensor, " N"]:
        """Return the cross-entropy of both kinds of each pair; no gradient flows to what drew the frames."""
        fake, real = self(last, drawn.detach()), self(last, truth)
        return (F.softplus(fake) + F.softplus(-real)).mean(dim=1)

    def fooled_loss(self, last: Float[Tensor, "N 3 H W"], drawn: Float[Tensor, "N 3 H W"]) -> Float[Tensor, " N"]:
        """Return what drawn frames cost that look drawn; no gradient flows to this module's own weights."""
        frozen = {name: parameter.detach() for name, parameter in self.named_parameters()}
        scores: Tensor = functional_call(self, frozen, (last, drawn))
        return F.softplus(-scores).mean(dim=1)
