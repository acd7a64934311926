"""Contrast of three frames in order: what lies between is nearer than the far end."""

from robossl.config.schema import Amount
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Ordered
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.across import seen_across
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.norms import lengths
from robossl.objectives.parts.ordered import ordered_contrast
from robossl.types import ObjectiveOutput


class R3M(Objective):
    """The time contrast of R3M, without its language reward, on the features themselves.

    R3M: a universal visual representation for robot manipulation, 2022, arXiv 2203.12601. There negatives of other
    videos are a random permutation, so that now and then an anchor is its own negative, at the best score there is;
    here they are all frames of other episodes. The softmax is a log-sum-exp.
    """

    min_clips = 2

    def __init__(self, encoder: Encoder, *, length_weight: Amount = 1e-5, across_views: bool = False) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            length_weight: of the mean L1 and L2 lengths of the features.
            across_views: take the middle frame from the last view instead of the first.
        """
        super().__init__(encoder)
        self.window = Window(specs=(("ordered", Ordered()),), num_views=2 if across_views else 1)
        self.across_views = across_views
        self.length_weight = length_weight

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean of both directions."""
        features = seen_across(encoded, "ordered", 1) if self.across_views else encoded.features("ordered")  # [B,3,D]
        valid = encoded.valid("ordered")
        loss, accuracy = ordered_contrast(features, episode=encoded.batch.episode_id, valid=valid.all(dim=1))
        long = joint_mean((features.abs().sum(dim=-1) + lengths(features)).flatten(), valid.flatten())
        return ObjectiveOutput(loss=loss + self.length_weight * long, metrics={"accuracy": float(accuracy)})
