"""What tasks share that draw the next frames of a clip step by step."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from robossl.data.clip_sampling import sequence_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.frame_errors import frame_errors, mean_psnr_db, unit_frames
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.latent_dynamics import StepActions
from robossl.types import ObjectiveOutput

ACTION_DIM = 32


class FrameSequence(Objective):
    """Context frames, K next ones `frame_stride` apart, and the actions of each step where there are any.

    A predicted frame is the last one seen plus a change, so that copying is where learning starts.
    """

    reads_clips = True

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: int,
        frame_stride: int,
        num_steps: int,
        action_stats: Mapping[str, ActionStats] | None,
    ) -> None:
        super().__init__(encoder)
        horizons = tuple(frame_stride * step for step in range(1, num_steps + 1))
        self.window = sequence_window(num_context=num_context, horizons=horizons, frame_stride=frame_stride)
        self.num_steps = num_steps
        self.actions = StepActions(ACTION_DIM, num_actions=frame_stride, action_stats=action_stats or {})

    def steps_of(self, encoded: EncodedBatch, like: Tensor) -> Float[Tensor, "B K E"]:
        """Return the vector of each step's actions."""
        batch = encoded.batch
        joined = None if batch.actions is None else encoded.of("context", batch.actions)[:, -1]
        return self.actions(joined, batch.source, num_steps=self.num_steps, like=like)

    def last_frame(self, encoded: EncodedBatch, like: Tensor) -> Float[Tensor, "B 1 3 H W"]:
        """Return the last frame seen, in 0-1."""
        return unit_frames(encoded.pixels("context")[:, -1:], like)

    def scored(self, predicted: Float[Tensor, "B K 3 H W"], encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean squared error over valid frames; metrics are in dB beside copying the last frame."""
        truth, last = unit_frames(encoded.pixels("target"), predicted), self.last_frame(encoded, predicted)
        errors, valid = frame_errors(predicted, truth).flatten(), encoded.valid("target").flatten()
        copied = frame_errors(last.expand_as(truth), truth).flatten()
        return ObjectiveOutput(
            loss=joint_mean(errors, valid),
            metrics={"psnr_db": mean_psnr_db(errors, valid), "copy_psnr_db": mean_psnr_db(copied, valid)},
        )
