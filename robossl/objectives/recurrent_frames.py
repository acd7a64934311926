"""Next frames by a recurrent state that is stepped forward."""

from collections.abc import Mapping

import torch
from torch import nn

from robossl.config.schema import Positive
from robossl.encoders import Encoder
from robossl.objectives.frame_sequence import ACTION_DIM, FrameSequence
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.decoder import FrameDecoder
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.types import ObjectiveOutput


class RecurrentFrames(FrameSequence):
    """A GRU reads the features of the context, then steps on with actions alone; each state is drawn as a change.

    After Finn et al., Unsupervised learning for physical interaction through video prediction, 2016, arXiv 1605.07157;
    here the state is a vector, so that all of the future has to pass through the features.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: Positive = 2,
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
            hidden_dim: of the state.
            action_stats: of each source with actions.
        """
        super().__init__(
            encoder,
            num_context=num_context,
            frame_stride=frame_stride,
            num_steps=num_steps,
            action_stats=action_stats,
        )
        self.reader = nn.GRU(encoder.feature_dim, hidden_dim, batch_first=True)
        self.stepper = nn.GRUCell(ACTION_DIM, hidden_dim)
        self.decoder = FrameDecoder(hidden_dim, image_size=encoder.image_size, change=True)

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the error of the next frames."""
        _, last = self.reader(encoded.features("context", as_clip=True))
        state, states = last[0], []
        for action in self.steps_of(encoded, state).unbind(dim=1):
            state = self.stepper(action, state)
            states.append(state)
        drawn = self.decoder(torch.cat(states)).unflatten(0, (self.num_steps, -1)).transpose(0, 1)  # [B,K,3,H,W]
        return self.scored(self.last_frame(encoded, drawn) + drawn, encoded)
