"""Contrast of a frame with itself under another augmentation, by a bilinear score and a slow copy."""

from torch import nn

from robossl.config.schema import Amount, Positive, Share
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Again, Spread
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat
from robossl.objectives.parts.one_sided import one_sided_info_nce
from robossl.objectives.parts.places import places_of
from robossl.objectives.parts.projector import Projector
from robossl.objectives.parts.slow_keys import SlowKeys
from robossl.types import ObjectiveOutput


class Curl(Objective):
    """CURL: contrastive unsupervised representations for reinforcement learning, 2020, arXiv 2004.04136.

    The augmentation is that of the run (random shifts do what its crops do), or another look with `across_views`.
    """

    min_clips = 2

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 2,
        momentum: Share = 0.95,
        negative_margin_s: Amount = 0.1,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            momentum: of the slow copy.
            negative_margin_s: instants of one episode this near are never negatives.
            projection_dim: P.
            across_views: take the key from the last view instead of the first.
        """
        super().__init__(encoder)
        anchors = Spread(num_instants)
        self.window = Window(specs=(("anchor", anchors), ("again", Again(anchors))), num_views=2 if across_views else 1)
        self.needs_augmentation = not across_views
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.bilinear = nn.Linear(projection_dim, projection_dim, bias=False)
        self.keys = SlowKeys(encoder, self.projector)
        self.momentum = momentum
        self.negative_margin_s = negative_margin_s
        self.key_view = -1 if across_views else 0

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the contrast of both draws of the augmentation."""
        loss, accuracy = one_sided_info_nce(
            self.bilinear(self.projector(flat(encoded.features("anchor")))),
            flat(self.keys(encoded.pixels("again", view=self.key_view))),
            places_of(encoded, "anchor"),
            negative_margin_s=self.negative_margin_s,
        )
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})

    def after_step(self, step: int, num_steps: int) -> None:
        """Move the slow copy."""
        self.keys.update(self.encoder, self.projector, momentum=self.momentum)
