"""Tell a slow copy's feature map at places that were hidden."""

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.config.schema import Positive, Share
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Context
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.objectives.masked_video import PartOfAll
from robossl.objectives.objective import Objective
from robossl.objectives.parts.draws import Draws
from robossl.objectives.parts.ema import EmaCopy, momentum_at
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.maps import map_shape
from robossl.objectives.parts.masking import hidden, rectangle_mask
from robossl.types import ObjectiveOutput


class MaskedLatents(Objective):
    """L1 to the slow copy's layer-normed map of the whole frame, at the hidden places only.

    V-JEPA 2, 2025, arXiv 2506.09985: rectangles over the full duration. Here hidden pixels are grey before the encoder,
    which serves convolutions too, and the prediction is made from the features of all frames of the clip, so that these
    learn and not the map alone.
    """

    reads_clips = True

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_frames: Positive = 2,
        frame_stride: Positive = 3,
        num_rectangles: Positive = 2,
        mask_share: PartOfAll = 0.2,
        momentum: Share = 0.99,
        hidden_dim: Positive = 256,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_frames: of a clip, in a row.
            frame_stride: source frames from one to the next.
            num_rectangles: that are hidden.
            mask_share: of the image in each of them.
            momentum: of the slow copy at the first step; it rises to 1.
            hidden_dim: of the predictor.

        Raises:
            ConfigError: if places of the map are no whole square blocks of pixels.
        """
        super().__init__(encoder)
        channels, height, width = map_shape(encoder)
        self.block_px = encoder.image_size[0] // height
        if (height * self.block_px, width * self.block_px) != encoder.image_size:
            raise ConfigError(
                f"masked_latents needs places of the map that are square blocks of pixels; images of "
                f"{encoder.image_size} px have a map of {(height, width)}: choose another image_size"
            )
        self.window = Window(specs=(("row", Context(num_frames, frame_stride, 0)),))
        self.grid = (height, width)
        self.num_rectangles = num_rectangles
        self.mask_share = mask_share
        self.target_encoder = EmaCopy(encoder)
        self.momentum = momentum
        self.predictor = nn.Sequential(
            nn.Linear(num_frames * encoder.feature_dim, hidden_dim),
            nn.LayerNorm(hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, num_frames * channels * height * width),
            nn.Unflatten(1, (num_frames, channels, height, width)),
        )
        self.draws = Draws()

    def mask(self, encoded: EncodedBatch) -> Bool[Tensor, "B h w"]:
        """Return which places are hidden in this step."""
        numbers = self.draws.uniforms(encoded.batch, 3 * self.num_rectangles).unflatten(1, (-1, 3))
        return rectangle_mask(numbers, grid=self.grid, share=self.mask_share)

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean distance at hidden places of valid frames."""
        pixels, mask = encoded.pixels("row"), self.mask(encoded)
        features = self.encoder.encode_clip(hidden(pixels, mask, block_px=self.block_px))
        predicted = self.predictor(features.flatten(1))  # [B,T,C,h,w]
        errors = (predicted - self._truth(pixels)).abs().mean(dim=2)  # [B,T,h,w]
        counted = mask[:, None] & encoded.valid("row")[:, :, None, None]
        return ObjectiveOutput(loss=joint_mean(errors.flatten(), counted.flatten()), metrics={})

    def _truth(self, pixels: Tensor) -> Tensor:
        slow = self.target_encoder.module
        if not isinstance(slow, Encoder):
            raise TypeError("the slow copy of an encoder is an encoder")
        with torch.no_grad():
            maps = slow.clip_map(pixels).movedim(2, -1)
            return F.layer_norm(maps, maps.shape[-1:]).movedim(-1, 2)

    def after_step(self, step: int, num_steps: int) -> None:
        """Move the slow copy, and hide other places in the next step."""
        self.target_encoder.update(self.encoder, momentum=momentum_at(step, num_steps, base=self.momentum))
        self.draws.advance()
