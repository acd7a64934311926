"""Contrast of two looks at a frame, blind to time; a frame-only reference."""

from robossl.config.schema import Amount, Positive, Rate
from robossl.encoders import Encoder
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import pair_info_nce
from robossl.objectives.parts.places import places_of
from robossl.objectives.two_looks import TwoLooks
from robossl.types import ObjectiveOutput


class SimClr(TwoLooks):
    """A simple framework for contrastive learning of visual representations, 2020, arXiv 2002.05709.

    Frames of one episode that are near in time are no negatives, since in video they are all but copies.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 2,
        temperature: Rate = 0.1,
        negative_margin_s: Amount = 0.1,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            temperature: of the softmax.
            negative_margin_s: instants of one episode this near are never negatives.
            projection_dim: P.
            across_views: take the second look from the last view instead of by augmentation.
        """
        super().__init__(encoder, num_instants=num_instants, projection_dim=projection_dim, across_views=across_views)
        self.temperature = temperature
        self.negative_margin_s = negative_margin_s

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the symmetric InfoNCE of both looks."""
        first, second, valid = self.looks(encoded)
        places = places_of(encoded, "anchor")
        loss, accuracy = pair_info_nce(
            first,
            second,
            episode=places.episode,
            first_time_s=places.time_s,
            second_time_s=places.time_s,
            valid=valid,
            temperature=self.temperature,
            negative_margin_s=self.negative_margin_s,
        )
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})
