"""Contrastive predictive coding: tell the features to come from all others."""

import torch
from torch import nn

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Context
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat
from robossl.objectives.parts.one_sided import one_sided_info_nce
from robossl.objectives.parts.places import Places
from robossl.objectives.parts.projector import Projector
from robossl.types import ObjectiveOutput


class PredictiveCoding(Objective):
    """A recurrent summary of the frames so far predicts each of the next ones by a linear map of its own.

    Representation learning with contrastive predictive coding, 2018, arXiv 1807.03748. Negatives are the latents of all
    clips; those near in time to the right one are masked.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_frames: Positive = 8,
        frame_stride: Positive = 2,
        num_ahead: Positive = 3,
        negative_margin_s: Amount = 0.1,
        temperature: Rate = 1.0,
        hidden_dim: Positive = 128,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_frames: of a clip, in a row.
            frame_stride: source frames from one to the next.
            num_ahead: how many of the next frames are told; fewer than `num_frames`.
            negative_margin_s: frames of one episode this near to the right one are never negatives.
            temperature: of the softmax.
            hidden_dim: of the recurrent summary.
            projection_dim: size of latents.
            across_views: take the frames that are told from the last view instead of the first.

        Raises:
            ConfigError: if nothing would be left to see.
        """
        super().__init__(encoder)
        if num_ahead >= num_frames:
            raise ConfigError(f"num_ahead of predictive_coding must be below num_frames, {num_frames}; got {num_ahead}")
        self.window = Window(specs=(("row", Context(num_frames, frame_stride, 0)),), num_views=2 if across_views else 1)
        self.other_view = -1 if across_views else 0
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.summary = nn.GRU(projection_dim, hidden_dim, batch_first=True)
        self.heads = nn.ModuleList(nn.Linear(hidden_dim, projection_dim) for _ in range(num_ahead))
        self.negative_margin_s = negative_margin_s
        self.temperature = temperature

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean over how far ahead."""
        batch, valid = encoded.batch, encoded.valid("row")
        latents = self.projector(encoded.features("row"))  # [B,T,P]
        told = self.projector(encoded.features("row", view=self.other_view)) if self.other_view else latents
        summary, _ = self.summary(latents)  # [B,T,hidden]
        time_s = encoded.of("row", batch.contrast_s)
        results = []
        for ahead, head in enumerate(self.heads, start=1):
            places = Places(
                episode=batch.episode_id.repeat_interleave(valid.shape[1] - ahead),
                time_s=flat(time_s[:, ahead:]),
                valid=flat(valid[:, ahead:] & valid[:, :-ahead]),
            )
            queries = flat(head(summary[:, :-ahead])) / self.temperature
            keys = flat(told[:, ahead:])
            results.append(one_sided_info_nce(queries, keys, places, negative_margin_s=self.negative_margin_s))
        loss, accuracy = (torch.stack(values).mean() for values in zip(*results, strict=True))
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})
