"""All next frames at once, by convolutions over time as channels."""

from collections.abc import Mapping

import torch
from torch import nn

from robossl.config.schema import Positive
from robossl.encoders import Encoder
from robossl.objectives.frame_sequence import ACTION_DIM, FrameSequence
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.decoder import FrameDecoder
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.maps import map_shape
from robossl.types import ObjectiveOutput


class ParallelFrames(FrameSequence):
    """A translator mixes the maps of all context frames as channels, and one decoder draws all next frames.

    SimVP: simpler yet better video prediction, 2022, arXiv 2206.05099. Here the skip of its decoder is the last frame,
    the translator also gets the pooled features and all steps' actions, and its result is drawn from a vector.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: Positive = 3,
        frame_stride: Positive = 2,
        num_steps: Positive = 3,
        hidden_dim: Positive = 256,
        action_stats: Mapping[str, ActionStats] | None = None,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_context: frames that the prediction sees.
            frame_stride: source frames, and so actions, of one step.
            num_steps: K, frames that are predicted.
            hidden_dim: of what the frames are drawn from.
            action_stats: of each source with actions.
        """
        super().__init__(
            encoder,
            num_context=num_context,
            frame_stride=frame_stride,
            num_steps=num_steps,
            action_stats=action_stats,
        )
        channels, height, width = map_shape(encoder)
        mixed = 32
        self.translator = nn.Sequential(
            nn.Conv2d(num_context * channels, 64, kernel_size=3, padding=1),
            nn.GroupNorm(8, 64),
            nn.ReLU(),
            nn.Conv2d(64, mixed, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        known = mixed * height * width + num_context * encoder.feature_dim + num_steps * ACTION_DIM
        self.joined = nn.Sequential(nn.Linear(known, hidden_dim), nn.LayerNorm(hidden_dim), nn.ReLU())
        self.decoder = FrameDecoder(
            hidden_dim, image_size=encoder.image_size, channels=3 * num_steps, width=64, change=True
        )

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the error of the next frames."""
        features = encoded.features("context", as_clip=True).flatten(1)
        mixed = self.translator(encoded.feature_map("context", as_clip=True).flatten(1, 2))
        actions = self.steps_of(encoded, features).flatten(1)
        drawn = self.decoder(self.joined(torch.cat([mixed, features, actions], dim=1))).unflatten(1, (-1, 3))
        return self.scored(self.last_frame(encoded, drawn) + drawn, encoded)
