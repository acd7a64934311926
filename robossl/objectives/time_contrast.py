"""Contrast along time: near frames alike, far frames and other episodes apart."""

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import pair_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat, pair_info_nce
from robossl.objectives.parts.projector import Projector
from robossl.types import ObjectiveOutput


class TimeContrast(Objective):
    """InfoNCE between frames near in time, with hard negatives from the same episode.

    Time-contrastive networks, 2017, arXiv 1704.06888; R3M, 2022, arXiv 2203.12601. Here: one symmetric softmax over
    cosines, and frames nearer than a margin are masked, so that an anchor is never its own negative.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_anchors: Positive = 4,
        positive_window_s: Rate = 0.2,
        negative_margin_s: Amount = 0.5,
        temperature: Rate = 0.1,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_anchors: instants of each clip, spread over its episode.
            positive_window_s: largest distance of a positive.
            negative_margin_s: frames of one episode this near are never negatives.
            temperature: of the softmax.
            projection_dim: P.
            across_views: take the positive from the last view instead of the first (where a source has several).
        """
        super().__init__(encoder)
        self.window = pair_window(num_anchors=num_anchors, positive_window_s=positive_window_s)
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.negative_margin_s = negative_margin_s
        self.temperature = temperature
        self.across_views = across_views

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the symmetric InfoNCE of anchors and positives."""
        batch = encoded.batch
        positive_view = batch.pixels.shape[1] - 1 if self.across_views else 0
        anchors = self.projector(flat(encoded.features("anchor")))
        positives = self.projector(flat(encoded.features("positive", view=positive_view)))
        num_anchors = encoded.valid("anchor").shape[1]
        loss, accuracy = pair_info_nce(
            anchors,
            positives,
            episode=batch.episode_id.repeat_interleave(num_anchors),
            first_time_s=flat(encoded.of("anchor", batch.contrast_s)),
            second_time_s=flat(encoded.of("positive", batch.contrast_s)),
            valid=flat(encoded.valid("anchor") & encoded.valid("positive")),
            temperature=self.temperature,
            negative_margin_s=self.negative_margin_s,
        )
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})
