"""Tell the next features from features and action."""

from collections.abc import Mapping

from robossl.config.schema import Amount, Positive
from robossl.data.clip_sampling import sequence_window
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.objectives.objective import Objective
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.joint_rows import joint_rows
from robossl.objectives.parts.latent_dynamics import LatentDynamics, StepActions
from robossl.objectives.parts.vicreg import spread_terms
from robossl.types import ObjectiveOutput


class ForwardDynamics(Objective):
    """One step in the features themselves, beside a variance and a covariance term.

    The forward model of Pathak et al. (2017, arXiv 1705.05363) with what keeps features apart of PLDM (2025, arXiv
    2502.14819). Needs actions: without them features that never change would do as well.
    """

    needs_actions = True
    min_clips = 2

    def __init__(
        self,
        encoder: Encoder,
        *,
        frame_stride: Positive = 3,
        variance_weight: Amount = 1.0,
        covariance_weight: Amount = 0.04,
        hidden_dim: Positive = 256,
        across_views: bool = False,
        action_stats: Mapping[str, ActionStats] | None = None,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            frame_stride: source frames, and so actions, of the step.
            variance_weight, covariance_weight: of the terms that keep features apart.
            hidden_dim: of the dynamics.
            across_views: take the next frame from the last view instead of the first.
            action_stats: of each source with actions.
        """
        super().__init__(encoder)
        self.window = sequence_window(
            num_context=1, horizons=(frame_stride,), frame_stride=frame_stride, num_views=2 if across_views else 1
        )
        self.other_view = -1 if across_views else 0
        self.variance_weight = variance_weight
        self.covariance_weight = covariance_weight
        self.actions = StepActions(32, num_actions=frame_stride, action_stats=action_stats or {})
        self.dynamics = LatentDynamics(encoder.feature_dim, action_dim=32, hidden_dim=hidden_dim)

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the squared error of the step plus the weighted terms."""
        batch = encoded.batch
        if batch.actions is None:
            raise ConfigError(f"forward_dynamics needs actions, and source {batch.source!r} has none")
        now, later = encoded.features("context")[:, 0], encoded.features("target", view=self.other_view)[:, 0]
        joined = encoded.of("context", batch.actions)[:, 0]
        action = self.actions(joined, batch.source, num_steps=1, like=now)[:, 0]
        error = joint_mean((self.dynamics(now, action) - later).square().mean(dim=1), encoded.valid("target")[:, 0])
        variance, covariance = spread_terms(joint_rows(now, encoded.valid("context")[:, 0]))
        return ObjectiveOutput(
            loss=error + self.variance_weight * variance + self.covariance_weight * covariance,
            metrics={"prediction": float(error.detach()), "variance": float(variance.detach())},
        )
