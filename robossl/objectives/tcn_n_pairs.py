"""Time-contrastive networks with one camera, as a softmax over many pairs."""

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import pair_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat
from robossl.objectives.parts.places import places_of
from robossl.objectives.parts.projector import Projector
from robossl.objectives.parts.triplet import n_pairs_loss
from robossl.types import ObjectiveOutput


class TcnNPairs(Objective):
    """Softmax over dot products of anchors and positives, with a weight on the length of embeddings.

    The n-pairs form of time-contrastive networks (2017, arXiv 1704.06888). Here positives near in time to an anchor's
    own positive are masked.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_anchors: Positive = 4,
        positive_window_s: Rate = 0.25,
        negative_margin_s: Amount = 0.5,
        length_weight: Amount = 0.002,
        projection_dim: Positive = 32,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_anchors: instants of each clip, spread over its episode.
            positive_window_s: largest distance of a positive.
            negative_margin_s: positives of one episode this near are never negatives.
            length_weight: of the squared lengths, times 0.25.
            projection_dim: P.
            across_views: take positives from the last view instead of the first.
        """
        super().__init__(encoder)
        self.window = pair_window(
            num_anchors=num_anchors, positive_window_s=positive_window_s, num_views=2 if across_views else 1
        )
        self.other_view = -1 if across_views else 0
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.negative_margin_s = negative_margin_s
        self.length_weight = length_weight

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the softmax loss over all pairs."""
        loss, accuracy = n_pairs_loss(
            self.projector(flat(encoded.features("anchor"))),
            self.projector(flat(encoded.features("positive", view=self.other_view))),
            places_of(encoded, "positive").where(flat(encoded.valid("anchor"))),
            negative_margin_s=self.negative_margin_s,
            length_weight=self.length_weight,
        )
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})
