"""One instant under two draws of the randomization: keep what is there, drop how it looks."""

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import instant_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.infonce import flat, pair_info_nce
from robossl.objectives.parts.projector import Projector
from robossl.types import ObjectiveOutput


class PairedLooks(Objective):
    """Symmetric InfoNCE between two looks of the same instants.

    The multi-view form of time-contrastive networks (2017, arXiv 1704.06888) with two renderings of one simulator state
    instead of two cameras. Negatives are the other instants of the same episode, under the anchor's own look as well as
    under the other one, and all instants of other episodes: so neither colours nor light tell an instant from another.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 8,
        negative_margin_s: Amount = 0.1,
        temperature: Rate = 0.1,
        projection_dim: Positive = 64,
        same_look_negatives: bool = True,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode: hard negatives of each other.
            negative_margin_s: instants of one episode this near are near-identical, and never negatives.
            temperature: of the softmax.
            projection_dim: P.
            same_look_negatives: count instants under the anchor's own look among the negatives.
        """
        super().__init__(encoder)
        self.window = instant_window(num_instants=num_instants, num_views=2)
        self.min_clips = 2 if num_instants == 1 else 1  # else an instant has no negative, and the loss is 0
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.negative_margin_s = negative_margin_s
        self.temperature = temperature
        self.same_look_negatives = same_look_negatives

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the symmetric InfoNCE of the two looks."""
        batch = encoded.batch
        first = self.projector(flat(encoded.features("anchor", view=0)))
        second = self.projector(flat(encoded.features("anchor", view=1)))
        time_s = flat(encoded.of("anchor", batch.contrast_s))
        valid = encoded.valid("anchor")
        loss, accuracy = pair_info_nce(
            first,
            second,
            episode=batch.episode_id.repeat_interleave(valid.shape[1]),
            first_time_s=time_s,
            second_time_s=time_s,
            valid=flat(valid),
            temperature=self.temperature,
            negative_margin_s=self.negative_margin_s,
            same_side_negatives=self.same_look_negatives,
        )
        return ObjectiveOutput(loss=loss, metrics={"accuracy": float(accuracy)})
