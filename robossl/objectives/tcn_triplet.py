"""Time-contrastive networks with one camera: near frames nearer than far ones by a margin."""

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Far, Near, Spread
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat
from robossl.objectives.parts.projector import UnitProjector
from robossl.objectives.parts.triplet import triplet_loss
from robossl.types import ObjectiveOutput


class TcnTriplet(Objective):
    """Triplets of anchor, a frame near in time, and a far frame of the same episode.

    Time-contrastive networks: self-supervised learning from video, 2017, arXiv 1704.06888. Embeddings have length
    `scale`; the negative is drawn beyond `negative_margin_s`, so it is never the anchor.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_anchors: Positive = 4,
        positive_window_s: Rate = 0.2,
        negative_margin_s: Amount = 0.5,
        margin: Rate = 2.0,
        scale: Rate = 10.0,
        projection_dim: Positive = 32,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_anchors: instants of each clip, spread over its episode.
            positive_window_s: largest distance of a positive.
            negative_margin_s: negatives are further away than this.
            margin: by which a negative has to be further, in squared length.
            scale: length of embeddings.
            projection_dim: P.
            across_views: take the positive from the last view instead of the first.
        """
        super().__init__(encoder)
        anchors = Spread(num_anchors)
        self.window = Window(
            specs=(
                ("anchor", anchors),
                ("positive", Near(anchors, positive_window_s)),
                ("negative", Far(anchors, negative_margin_s)),
            ),
            num_views=2 if across_views else 1,
        )
        self.other_view = -1 if across_views else 0
        self.projector = UnitProjector(encoder.feature_dim, projection_dim, scale=scale)
        self.margin = margin

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean over triplets that are whole."""
        groups = (("anchor", 0), ("positive", self.other_view), ("negative", 0))
        rows = [self.projector(flat(encoded.features(group, view=view))) for group, view in groups]
        valid = encoded.valid("anchor") & encoded.valid("positive") & encoded.valid("negative")
        loss, accuracy = triplet_loss(*rows, valid=flat(valid), margin=self.margin)
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})
