"""Features rolled out over several steps, without a slow copy."""

from collections.abc import Mapping

from robossl.config.schema import Amount, Positive
from robossl.data.clip_sampling import sequence_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.draws import Draws
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.joint_rows import joint_rows
from robossl.objectives.parts.latent_dynamics import LatentDynamics, StepActions
from robossl.objectives.parts.projector import Projector
from robossl.objectives.parts.sigreg import sigreg
from robossl.types import ObjectiveOutput


class LatentRollout(Objective):
    """Squared error of K latent steps to the embeddings of the frames there, and SIGReg against collapse.

    After LeWorldModel (2026, arXiv 2603.19312): no slow copy and no stopped gradient. Where a source has no actions the
    steps know of none.
    """

    min_clips = 2

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_steps: Positive = 3,
        frame_stride: Positive = 2,
        regularizer_weight: Amount = 0.09,
        num_directions: Positive = 256,
        hidden_dim: Positive = 256,
        projection_dim: Positive = 64,
        across_views: bool = False,
        action_stats: Mapping[str, ActionStats] | None = None,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_steps: K.
            frame_stride: source frames, and so actions, of one step.
            regularizer_weight: of SIGReg.
            num_directions: that the distribution of embeddings is looked at from.
            hidden_dim: of the dynamics.
            projection_dim: P, in which the steps are taken.
            across_views: take the frames to come from the last view instead of the first.
            action_stats: of each source with actions.
        """
        super().__init__(encoder)
        horizons = tuple(frame_stride * step for step in range(1, num_steps + 1))
        self.window = sequence_window(
            num_context=1, horizons=horizons, frame_stride=frame_stride, num_views=2 if across_views else 1
        )
        self.other_view = -1 if across_views else 0
        self.num_steps = num_steps
        self.regularizer_weight = regularizer_weight
        self.num_directions = num_directions
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.actions = StepActions(32, num_actions=frame_stride, action_stats=action_stats or {})
        self.dynamics = LatentDynamics(projection_dim, action_dim=32, hidden_dim=hidden_dim)
        self.draws = Draws()

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean error of valid steps plus the weighted regularizer."""
        batch = encoded.batch
        now = self.projector(encoded.features("context")[:, 0])
        future = self.projector(encoded.features("target", view=self.other_view))  # [B,K,P]
        joined = None if batch.actions is None else encoded.of("context", batch.actions)[:, 0]
        actions = self.actions(joined, batch.source, num_steps=self.num_steps, like=now)
        predicted = self.dynamics.rollout(now, actions)
        valid = encoded.valid("target").flatten()
        error = joint_mean((predicted - future).square().mean(dim=-1).flatten(), valid)
        rows = joint_rows(now, encoded.valid("context")[:, 0])
        normality = sigreg(rows, generator=self.draws.generator(), num_directions=self.num_directions)
        return ObjectiveOutput(
            loss=error + self.regularizer_weight * normality,
            metrics={"prediction": float(error.detach()), "normality": float(normality.detach())},
        )

    def after_step(self, step: int, num_steps: int) -> None:
        """Draw other directions in the next step."""
        self.draws.advance()
