"""Time-contrastive networks with two cameras: one instant in both is alike, other instants in one camera are not."""

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Far, Spread
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat
from robossl.objectives.parts.projector import UnitProjector
from robossl.objectives.parts.triplet import triplet_loss
from robossl.types import ObjectiveOutput


class MultiViewTcn(Objective):
    """Triplets of an instant in the first view, the same in the second, and a near one in the first again.

    Time-contrastive networks: self-supervised learning from video, 2017, arXiv 1704.06888. Views are synchronous
    cameras, or two looks of one. The negative is the harder, the nearer it is: it is drawn between margin and window.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 4,
        negative_margin_s: Amount = 0.2,
        negative_window_s: Rate = 2.0,
        margin: Rate = 2.0,
        scale: Rate = 10.0,
        projection_dim: Positive = 32,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            negative_margin_s, negative_window_s: how near and how far a negative may be in time.
            margin: by which a negative has to be further, in squared length.
            scale: length of embeddings.
            projection_dim: P.
        """
        super().__init__(encoder)
        anchors = Spread(num_instants)
        negatives = Far(anchors, negative_margin_s, negative_window_s)
        self.window = Window(specs=(("anchor", anchors), ("negative", negatives)), num_views=2)
        self.projector = UnitProjector(encoder.feature_dim, projection_dim, scale=scale)
        self.margin = margin

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean over both views as the anchor's."""
        views = [self.projector(flat(encoded.features("anchor", view=view))) for view in (0, 1)]
        far = [self.projector(flat(encoded.features("negative", view=view))) for view in (0, 1)]
        valid = flat(encoded.valid("anchor") & encoded.valid("negative"))
        results = [
            triplet_loss(views[view], views[1 - view], far[view], valid=valid, margin=self.margin) for view in (0, 1)
        ]
        loss, accuracy = ((first + second) / 2 for first, second in zip(*results, strict=True))
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})
