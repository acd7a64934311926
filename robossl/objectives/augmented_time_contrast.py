"""Contrast of a frame with one a little later, each under augmentation of its own."""

from torch import nn

from robossl.config.schema import Amount, Positive, Share
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Again, Ahead, Context
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat
from robossl.objectives.parts.one_sided import one_sided_info_nce
from robossl.objectives.parts.places import places_of
from robossl.objectives.parts.projector import Projector
from robossl.objectives.parts.slow_keys import SlowKeys
from robossl.types import ObjectiveOutput


class AugmentedTimeContrast(Objective):
    """ATC: anchors pass a residual layer and a bilinear map, keys come from a slow copy.

    Decoupling representation learning from reinforcement learning, 2020, arXiv 2009.08319. The augmentation is that of
    the run, drawn apart for anchor and key. Other clips are the negatives; those of one episode that are near are not.
    """

    min_clips = 2

    def __init__(
        self,
        encoder: Encoder,
        *,
        ahead: Positive = 3,
        momentum: Share = 0.99,
        negative_margin_s: Amount = 0.1,
        hidden_dim: Positive = 256,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            ahead: source frames from the anchor to its key.
            momentum: of the slow copy.
            negative_margin_s: keys of one episode this near are never negatives.
            hidden_dim: of the residual layer.
            projection_dim: P.
            across_views: take the key from the last view instead of the first.
        """
        super().__init__(encoder)
        anchor = Context(1, 1, ahead)
        specs = (("context", anchor), ("positive", Again(Ahead(anchor, (ahead,)))))
        self.window = Window(specs=specs, num_views=2 if across_views else 1)
        self.other_view = -1 if across_views else 0
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.residual = nn.Sequential(
            nn.Linear(projection_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, projection_dim)
        )
        self.bilinear = nn.Linear(projection_dim, projection_dim, bias=False)
        self.keys = SlowKeys(encoder, self.projector)
        self.momentum = momentum
        self.negative_margin_s = negative_margin_s

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the contrast of anchors with later frames."""
        anchors = self.projector(flat(encoded.features("context")))
        loss, accuracy = one_sided_info_nce(
            self.bilinear(anchors + self.residual(anchors)),
            flat(self.keys(encoded.pixels("positive", view=self.other_view))),
            places_of(encoded, "positive"),
            negative_margin_s=self.negative_margin_s,
        )
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})

    def after_step(self, step: int, num_steps: int) -> None:
        """Move the slow copy."""
        self.keys.update(self.encoder, self.projector, momentum=self.momentum)
