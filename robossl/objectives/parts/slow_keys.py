"""Embeddings by a slow copy of encoder and projector."""

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from robossl.encoders import Encoder
from robossl.objectives.parts.ema import EmaCopy, seen_by


class SlowKeys(nn.Module):
    """Gives embeddings of frames that no gradient flows through."""

    def __init__(self, encoder: Encoder, projector: nn.Module) -> None:
        super().__init__()
        self.copy = EmaCopy(nn.Sequential(encoder, projector))

    def forward(self, pixels: UInt8[Tensor, "B n C H W"]) -> Float[Tensor, "B n P"]:
        """Return the embeddings of frames."""
        return seen_by(self.copy.module, pixels)

    def update(self, encoder: Encoder, projector: nn.Module, *, momentum: float) -> None:
        """Move towards what is trained by `1 - momentum`."""
        self.copy.update(nn.Sequential(encoder, projector), momentum=momentum)
