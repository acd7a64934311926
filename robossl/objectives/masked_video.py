"""Draw the hidden tubes of a clip from the features of what is left."""

from typing import Annotated

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from robossl.config.schema import Positive
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Context
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.decoder import FrameDecoder
from robossl.objectives.parts.draws import Draws
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.frame_errors import unit_frames
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.masking import blocks_of, grid_of, hidden, random_mask
from robossl.types import ObjectiveOutput

PartOfAll = Annotated[float, Field(gt=0, lt=1)]
_EPS = 1e-6
"""Added to the variance of a block, as in the paper's code."""


class MaskedVideo(Objective):
    """Tubes of blocks are hidden, the same in all frames; targets are normalized block by block.

    VideoMAE: masked autoencoders are data-efficient learners for self-supervised video pre-training, 2022, arXiv
    2203.12602. There a transformer never gets the hidden tokens; here hidden pixels are replaced by grey before the
    encoder, which serves any architecture, and frames are drawn from the features of all frames of the clip.
    """

    reads_clips = True

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_frames: Positive = 3,
        frame_stride: Positive = 2,
        block_px: Positive = 8,
        mask_share: PartOfAll = 0.6,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_frames: of a clip, in a row.
            frame_stride: source frames from one to the next.
            block_px: side of the blocks.
            mask_share: of the blocks; the paper has 0.9 for 16 frames of 224 px.
        """
        super().__init__(encoder)
        self.window = Window(specs=(("row", Context(num_frames, frame_stride, 0)),))
        self.grid = grid_of(encoder.image_size, block_px)
        self.block_px = block_px
        self.mask_share = mask_share
        self.decoder = FrameDecoder(
            num_frames * encoder.feature_dim, image_size=encoder.image_size, channels=3 * num_frames, width=64
        )
        self.draws = Draws()

    def mask(self, encoded: EncodedBatch) -> Bool[Tensor, "B h w"]:
        """Return which blocks are hidden in this step."""
        numbers = self.draws.uniforms(encoded.batch, self.grid[0] * self.grid[1])
        return random_mask(numbers, grid=self.grid, share=self.mask_share)

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean squared error of hidden blocks of valid frames."""
        pixels, mask = encoded.pixels("row"), self.mask(encoded)
        features = self.encoder.encode_clip(hidden(pixels, mask, block_px=self.block_px))
        drawn = self.decoder(features.flatten(1)).unflatten(1, (-1, 3))  # [B,T,3,H,W]
        truth = normalized_blocks(unit_frames(pixels, drawn), self.block_px)
        errors = (blocks_of(drawn, self.block_px) - truth).square().mean(dim=(-2, -1))  # [B,T,h,w]
        counted = mask[:, None] & encoded.valid("row")[:, :, None, None]
        return ObjectiveOutput(loss=joint_mean(errors.flatten(), counted.flatten()), metrics={})

    def after_step(self, step: int, num_steps: int) -> None:
        """Hide other tubes in the next step."""
        self.draws.advance()


def normalized_blocks(frames: Float[Tensor, "*B C H W"], block_px: int) -> Float[Tensor, "*B h w C p"]:
    """Return blocks with mean 0 and (unbiased) variance 1 in each channel."""
    blocks = blocks_of(frames, block_px)
    variance, mean = torch.var_mean(blocks, dim=-1, keepdim=True)
    return (blocks - mean) / (variance + _EPS).sqrt()
