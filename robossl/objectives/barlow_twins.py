"""Two looks whose embeddings agree in each dimension and share none."""

from robossl.config.schema import Amount, Positive
from robossl.encoders import Encoder
from robossl.objectives.parts.barlow import redundancy
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.joint_rows import joint_rows
from robossl.objectives.two_looks import TwoLooks
from robossl.types import ObjectiveOutput


class BarlowTwins(TwoLooks):
    """Barlow Twins: self-supervised learning via redundancy reduction, 2021, arXiv 2103.03230.

    A frame-only reference; the correlation is over the rows of all ranks.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 2,
        off_weight: Amount = 0.005,
        projection_dim: Positive = 128,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            off_weight: of the correlations between different dimensions.
            projection_dim: P.
            across_views: take the second look from the last view instead of by augmentation.
        """
        super().__init__(encoder, num_instants=num_instants, projection_dim=projection_dim, across_views=across_views)
        self.off_weight = off_weight

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the loss of the cross-correlation over all ranks."""
        first, second, valid = self.looks(encoded)
        loss = redundancy(joint_rows(first, valid), joint_rows(second, valid), off_weight=self.off_weight)
        return ObjectiveOutput(loss=loss, metrics={})
