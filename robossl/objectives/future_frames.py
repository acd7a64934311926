"""Predict pixels of the future from the context, its features, and the actions where there are any."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from robossl.data.clip_sampling import sequence_window
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.objectives.objective import Objective
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.frame_conditioning import FrameConditioning, RobotTrack
from robossl.objectives.parts.frame_errors import mean_psnr_db
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.maps import map_shape
from robossl.objectives.parts.unet import FrameUNet
from robossl.types import ObjectiveOutput

FrameLoss = Literal["psnr", "mse"]

# a frame that differs by half a grey level everywhere: errors below it are rounding, and the logarithm stays finite
_MSE_FLOOR = (0.5 / 255) ** 2


class FutureFrames(Objective):
    """Pixels of t+k from context frames and the encoder's feature maps, as a change of the last frame.

    After SimVP (2022, arXiv 2206.05099) in its convolutional encoder, translator and skips; here one U-Net predicts
    each horizon directly from a horizon embedding, so that errors don't compound, and starts as copy-last-frame.
    """

    reads_clips = True

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: int = 4,
        frame_stride: int = 1,
        horizons: Sequence[int] = (2, 4, 8),
        num_targets: int | None = 1,
        loss: FrameLoss = "psnr",
        widths: Sequence[int] = (48, 96),
        block_px: int = 4,
        robot_noise: float = 0.0,
        action_stats: Mapping[str, ActionStats] | None = None,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_context: frames that the prediction sees.
            frame_stride: source frames from one of them to the next.
            horizons: source frames from the last of them to a target.
            num_targets: how many of the horizons are drawn for each clip; None takes all.
            loss: `psnr` maximizes the mean of per-frame dB, `mse` minimizes the mean squared error.
            widths: channels of the predictor's levels, multiples of 8.
            block_px: side of the blocks of pixels that the predictor works on.
            robot_noise: deviation of what is added to actions and state in training, in their own deviations.
            action_stats: of each source with actions.

        Raises:
            ConfigError: if `loss` is unknown, or blocks don't tile the encoder's images.
        """
        super().__init__(encoder)
        if loss not in ("psnr", "mse"):
            raise ConfigError(f"loss of future_frames must be psnr or mse, got {loss!r}")
        if any(side % block_px for side in encoder.image_size):
            raise ConfigError(
                f"block_px of future_frames is {block_px}; it must divide image_size {encoder.image_size}"
            )
        self.window = sequence_window(
            num_context=num_context, horizons=horizons, frame_stride=frame_stride, num_targets=num_targets
        )
        self.loss = loss
        self.frame_stride = frame_stride
        condition_dim = 128
        self.conditioning = FrameConditioning(
            condition_dim,
            num_before=(num_context - 1) * frame_stride,
            max_horizon=max(horizons),
            action_stats=action_stats or {},
            noise=robot_noise,
        )
        self.predictor = FrameUNet(
            image_size=encoder.image_size,
            num_context=num_context,
            map_channels=map_shape(encoder)[0],
            condition_dim=condition_dim,
            widths=widths,
            block_px=block_px,
        )

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the loss over valid targets; metrics are in dB beside copy-last-frame."""
        batch = encoded.batch
        context, target = encoded.span("context"), encoded.span("target")
        last = batch.indices[:, context][:, -1:]
        predicted = self._predicted(
            encoded.pixels("context"),
            encoded.feature_map("context", as_clip=True),
            (batch.indices[:, target] - last).clamp(min=1),
            self._track(encoded),
            batch.source,
        )
        truth = encoded.pixels("target").float() / 255
        errors = (predicted - truth).square().mean(dim=(2, 3, 4)).flatten()  # [BK]
        valid = encoded.valid("target").flatten()
        values = (errors + _MSE_FLOOR).log() if self.loss == "psnr" else errors
        copied = (encoded.pixels("context")[:, -1:].float() / 255 - truth).square().mean(dim=(2, 3, 4)).flatten()
        return ObjectiveOutput(
            loss=joint_mean(values, valid),
            metrics={"psnr_db": mean_psnr_db(errors, valid), "copy_psnr_db": mean_psnr_db(copied, valid)},
        )

    @torch.no_grad()
    def predict(
        self,
        context: UInt8[Tensor, "B T 3 H W"],
        horizon: Int64[Tensor, "B K"],
        *,
        track: RobotTrack | None = None,
        source: str = "",
    ) -> UInt8[Tensor, "B K 3 H W"]:
        """Return the predicted frames.

        Args:
            context: the last `num_context` frames, `frame_stride` apart.
            horizon: source frames ahead, at most the largest of training.
            track: what the robot does, where that is known.
            source: that the track comes from.
        """
        frames = self._predicted(context, self.encoder.clip_map(context), horizon, track, source)
        return (frames.clamp(0, 1) * 255).round().to(torch.uint8)

    def _predicted(
        self,
        context: UInt8[Tensor, "B T 3 H W"],
        maps: Float[Tensor, "B T C h w"],
        horizon: Int64[Tensor, "B K"],
        track: RobotTrack | None,
        source: str,
    ) -> Float[Tensor, "B K 3 H W"]:
        frames = context.float() / 255
        return self.predictor(frames, maps, self.conditioning(horizon, frames, track, source))

    def _track(self, encoded: EncodedBatch) -> RobotTrack | None:
        batch = encoded.batch
        if batch.actions is None or batch.source not in self.conditioning.names:
            return None
        size = self.conditioning.num_actions(batch.source)
        steps = encoded.of("context", batch.actions).unflatten(-1, (-1, size))  # [B,T,k,A]
        before = steps[:, :-1, : self.frame_stride].flatten(1, 2)
        states = None if batch.proprio is None else encoded.of("context", batch.proprio)
        return RobotTrack(actions=torch.cat([before, steps[:, -1]], dim=1), states=states)
