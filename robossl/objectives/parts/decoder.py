"""From a vector to a frame."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.errors import ConfigError

_BLOCK_PX = 4
"""Side of the blocks of pixels that the last layer gives: a sixteenth of the places is enough on a CPU."""


class FrameDecoder(nn.Module):
    """A linear layer to a coarse map, two convolutions, and blocks of pixels."""

    def __init__(
        self, dim: int, *, image_size: tuple[int, int], channels: int = 3, width: int = 48, change: bool = False
    ) -> None:
        """Make the layers.

        Args:
            dim: of the vector.
            image_size: height and width of frames [px], multiples of 4.
            channels: of the output; 3 for one frame.
            width: channels between.
            change: what is drawn is added to a frame, so that learning starts as a copy of that frame.

        Raises:
            ConfigError: if blocks don't tile the image.
        """
        super().__init__()
        if any(side % _BLOCK_PX for side in image_size):
            raise ConfigError(f"image_size is {image_size}; to draw frames it must be a multiple of {_BLOCK_PX}")
        self.size = (image_size[0] // _BLOCK_PX, image_size[1] // _BLOCK_PX)
        coarse = (-(-self.size[0] // 2), -(-self.size[1] // 2))
        self.spread = nn.Sequential(nn.Linear(dim, width * coarse[0] * coarse[1]), nn.Unflatten(1, (width, *coarse)))
        self.first = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.second = nn.Conv2d(width, channels * _BLOCK_PX**2, kernel_size=3, padding=1)
        if change:
            for parameter in self.second.parameters():
                nn.init.zeros_(parameter)

    def forward(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B C H W"]:
        """Return what each vector stands for, in no range."""
        x = F.relu(self.norm(self.first(F.relu(self.spread(vector)))))
        x = F.interpolate(x, size=self.size)
        return F.pixel_shuffle(self.second(x), _BLOCK_PX)
