"""Joint embedding of two looks without a slow copy: alike, spread out, decorrelated."""

from robossl.config.schema import Amount, Positive
from robossl.encoders import Encoder
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.joint_rows import joint_rows
from robossl.objectives.parts.vicreg import spread_terms
from robossl.objectives.two_looks import TwoLooks
from robossl.types import ObjectiveOutput


class VicReg(TwoLooks):
    """VICReg: variance-invariance-covariance regularization, 2021, arXiv 2105.04906; statistics of all ranks."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 2,
        invariance_weight: Amount = 25.0,
        variance_weight: Amount = 25.0,
        covariance_weight: Amount = 1.0,
        projection_dim: Positive = 128,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            invariance_weight, variance_weight, covariance_weight: of the three terms.
            projection_dim: P.
            across_views: take the second look from the last view instead of by augmentation.
        """
        super().__init__(encoder, num_instants=num_instants, projection_dim=projection_dim, across_views=across_views)
        self.weights = (invariance_weight, variance_weight, covariance_weight)

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the weighted sum of three terms; the variance is the mean of both looks', the covariance the sum."""
        first, second, valid = self.looks(encoded)
        invariance = joint_mean((first - second).square().mean(dim=1), valid)
        terms = [spread_terms(joint_rows(rows, valid)) for rows in (first, second)]
        variance, covariance = (terms[0][0] + terms[1][0]) / 2, terms[0][1] + terms[1][1]
        parts = (invariance, variance, covariance)
        loss = sum((weight * part for weight, part in zip(self.weights, parts, strict=True)), start=first.new_zeros(()))
        names = ("invariance", "variance", "covariance")
        return ObjectiveOutput(
            loss=loss, metrics={name: float(part.detach()) for name, part in zip(names, parts, strict=True)}
        )
