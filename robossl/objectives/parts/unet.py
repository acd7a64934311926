"""A small conditional U-Net from context frames and an encoder's feature maps to one future frame."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.objectives.parts.frame_conditioning import FrameCondition


class ConditionedBlock(nn.Module):
    """Two 3x3 convolutions with GroupNorm, scaled and shifted by a condition (FiLM, 2017, arXiv 1709.07871)."""

    def __init__(self, incoming: int, outgoing: int, *, condition_dim: int | None) -> None:
        super().__init__()
        self.first = nn.Conv2d(incoming, outgoing, kernel_size=3, padding=1)
        self.first_norm = nn.GroupNorm(8, outgoing)
        self.second = nn.Conv2d(outgoing, outgoing, kernel_size=3, padding=1)
        self.second_norm = nn.GroupNorm(8, outgoing)
        self.film = nn.Linear(condition_dim, 2 * outgoing) if condition_dim else None

    def forward(
        self, x: Float[Tensor, "B C h w"], condition: Float[Tensor, "B E"] | None = None
    ) -> Float[Tensor, "B C2 h w"]:
        """Return the new map."""
        x = self.first_norm(self.first(x))
        if self.film is not None and condition is not None:
            scale, shift = self.film(condition)[..., None, None].chunk(2, dim=1)
            x = x * (1 + scale) + shift
        return F.relu(self.second_norm(self.second(F.relu(x))))


class FrameUNet(nn.Module):
    """Predicts what changes: its output, times a gate in 0-1, is added to the last context frame.

    Where nothing moves, copying is nearly exact, and normalized layers can't make themselves small enough: the gate
    does, one for each place times the openness of the whole frame.

    Works on blocks of pixels as channels (with blocks of 4 a sixteenth of the places: many times faster on a CPU than
    full resolution). The way down does not see the condition, so that it runs once for all horizons. The condition
    scales channels everywhere (FiLM), and a layer spreads it over the places of the coarsest map: where an arm will be
    is a place, which scales alone don't tell. A learned map beside the input lets a fixed camera's background be known.
    """

    def __init__(
        self,
        *,
        image_size: tuple[int, int],
        num_context: int,
        map_channels: int,
        condition_dim: int,
        widths: Sequence[int] = (48, 96),
        block_px: int = 4,
    ) -> None:
        """Make the layers.

        Args:
            image_size: height and width of frames [px], multiples of `block_px`.
            num_context: T, context frames.
            map_channels: C of the encoder's feature map of one frame.
            condition_dim: size of the condition.
            widths: channels of each level, the finest first.
            block_px: side of the blocks.
        """
        super().__init__()
        self.block_px = block_px
        block_channels = 3 * block_px**2
        height, width = (side // block_px for side in image_size)
        self.background = nn.Parameter(0.5 * torch.randn(1, _BACKGROUND_CHANNELS, height, width))
        incoming = block_channels * num_context + _BACKGROUND_CHANNELS
        self.down = nn.ModuleList(
            ConditionedBlock(channels, outgoing, condition_dim=None)
            for channels, outgoing in zip((incoming, *widths[:-1]), widths, strict=True)
        )
        self.map_layer = nn.Conv2d(num_context * map_channels, widths[-1], kernel_size=1)
        shrunk = 2 ** (len(widths) - 1)
        self.places = nn.Sequential(
            nn.Linear(condition_dim, _PLACE_CHANNELS * (height // shrunk) * (width // shrunk)),
            nn.Unflatten(1, (_PLACE_CHANNELS, height // shrunk, width // shrunk)),
        )
        self.middle = ConditionedBlock(2 * widths[-1] + _PLACE_CHANNELS, widths[-1], condition_dim=condition_dim)
        self.up = nn.ModuleList(
            ConditionedBlock(coarse + fine, fine, condition_dim=condition_dim)
            for coarse, fine in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.gate = nn.Conv2d(widths[0], 1, kernel_size=1)
        self.out = nn.Conv2d(widths[0], block_channels, kernel_size=1)
        nn.init.zeros_(self.out.weight)  # starts as a copy of the last frame: the floor that it has to beat
        if self.out.bias is not None:
            nn.init.zeros_(self.out.bias)

    def forward(
        self,
        context: Float[Tensor, "B T 3 H W"],
        maps: Float[Tensor, "B T C h w"],
        condition: FrameCondition,
    ) -> Float[Tensor, "B K 3 H W"]:
        """Return K predicted frames in the range of the context (0-1, not clipped)."""
        num_targets = condition.vector.shape[1]
        skips = self._down(context)
        coarsest = skips.pop()
        maps = F.interpolate(self.map_layer(maps.flatten(1, 2)), size=coarsest.shape[-2:])
        flat = condition.vector.flatten(0, 1)  # [BK,E]
        seen = torch.cat([coarsest, maps], dim=1).repeat_interleave(num_targets, 0)
        x = torch.cat([seen, self.places(flat)], dim=1).contiguous(memory_format=torch.channels_last)
        x = self.middle(x, flat)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            x = F.interpolate(x, size=skip.shape[-2:])
            x = block(torch.cat([x, skip.repeat_interleave(num_targets, 0)], dim=1), flat)
        gate = (1 + self.gate(x)).sigmoid() * condition.openness.flatten()[:, None, None, None].sigmoid()
        change = F.pixel_shuffle(gate * self.out(x), self.block_px).unflatten(0, (-1, num_targets))
        return context[:, -1:] + change

    def _down(self, context: Float[Tensor, "B T 3 H W"]) -> list[Tensor]:
        x = F.pixel_unshuffle(context.flatten(1, 2) * 2 - 1, self.block_px)
        x = torch.cat([x, self.background.expand(len(x), -1, -1, -1)], dim=1)
        x = x.contiguous(memory_format=torch.channels_last)
        levels: list[Tensor] = []
        for block in self.down:
            x = block(F.max_pool2d(levels[-1], 2) if levels else x)
            levels.append(x)
        return levels


_BACKGROUND_CHANNELS = 8
_PLACE_CHANNELS = 32
