"""Features that change slowly, and yet all differ."""

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import pair_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.joint_rows import joint_rows
from robossl.objectives.parts.projector import Projector
from robossl.objectives.parts.vicreg import spread_terms
from robossl.types import ObjectiveOutput


class SlowFeatures(Objective):
    """Squared change between near frames, under a variance and a covariance term instead of exact whitening.

    Wiskott and Sejnowski, Slow feature analysis: unsupervised learning of invariances, 2002; the constraints as VICReg
    (2021, arXiv 2105.04906) has them.
    """

    min_clips = 2

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_anchors: Positive = 4,
        positive_window_s: Rate = 0.1,
        variance_weight: Amount = 1.0,
        covariance_weight: Amount = 0.04,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_anchors: instants of each clip, spread over its episode.
            positive_window_s: largest distance of near frames.
            variance_weight, covariance_weight: of the terms that keep embeddings apart.
            projection_dim: P.
            across_views: take the near frame from the last view instead of the first.
        """
        super().__init__(encoder)
        self.window = pair_window(
            num_anchors=num_anchors, positive_window_s=positive_window_s, num_views=2 if across_views else 1
        )
        self.other_view = -1 if across_views else 0
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.variance_weight = variance_weight
        self.covariance_weight = covariance_weight

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the change plus the weighted terms."""
        now = self.projector(encoded.features("anchor").flatten(0, 1))
        near = self.projector(encoded.features("positive", view=self.other_view).flatten(0, 1))
        valid = (encoded.valid("anchor") & encoded.valid("positive")).flatten()
        change = joint_mean((now - near).square().mean(dim=1), valid)
        variance, covariance = spread_terms(joint_rows(now, valid))
        return ObjectiveOutput(
            loss=change + self.variance_weight * variance + self.covariance_weight * covariance,
            metrics={"change": float(change.detach()), "variance": float(variance.detach())},
        )
