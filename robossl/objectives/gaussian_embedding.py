"""Joint embedding of two looks whose embeddings are held to a standard normal distribution."""

from robossl.config.schema import Positive, Share
from robossl.encoders import Encoder
from robossl.objectives.parts.draws import Draws
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.joint_rows import joint_rows
from robossl.objectives.parts.sigreg import sigreg
from robossl.objectives.two_looks import TwoLooks
from robossl.types import ObjectiveOutput


class GaussianEmbedding(TwoLooks):
    """LeJEPA: provable and scalable self-supervised learning without the heuristics, 2025, arXiv 2511.08544.

    With two looks of the whole frame instead of global and local crops: where an object is must stay readable.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 2,
        regularizer_share: Share = 0.05,
        num_directions: Positive = 256,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            regularizer_share: of SIGReg in the loss; the rest is that of the distance of looks.
            num_directions: that the distribution is looked at from.
            projection_dim: P.
            across_views: take the second look from the last view instead of by augmentation.
        """
        super().__init__(encoder, num_instants=num_instants, projection_dim=projection_dim, across_views=across_views)
        self.share = regularizer_share
        self.num_directions = num_directions
        self.draws = Draws()

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mix of both terms; the first is the squared distance of each look from the mean of both."""
        first, second, valid = self.looks(encoded)
        invariance = joint_mean((first - second).square().mean(dim=1) / 4, valid)
        normality = sum(
            sigreg(joint_rows(rows, valid), generator=self.draws.generator(), num_directions=self.num_directions)
            for rows in (first, second)
        )
        loss = (1 - self.share) * invariance + self.share * normality / 2
        return ObjectiveOutput(loss=loss, metrics={"invariance": float(invariance.detach())})

    def after_step(self, step: int, num_steps: int) -> None:
        """Draw other directions in the next step."""
        self.draws.advance()
