"""Self-predictive representations: step features forward, and match those of a slow copy."""

from collections.abc import Mapping

from torch import nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.config.schema import Positive, Share
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Again, Ahead, Context
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.latent_dynamics import LatentDynamics, StepActions
from robossl.objectives.parts.projector import Projector
from robossl.objectives.parts.slow_keys import SlowKeys
from robossl.types import ObjectiveOutput


class SelfPrediction(Objective):
    """SPR: K latent steps, each compared with the slow copy's embedding of that frame by cosine.

    Data-efficient reinforcement learning with self-predictive representations, 2020, arXiv 2007.05929. Where a source
    has no actions the steps know of none. Future frames are augmented by a draw of their own.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_steps: Positive = 5,
        frame_stride: Positive = 1,
        momentum: Share = 0.99,
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
            momentum: of the slow copy; the paper has 0 where there is augmentation, which small data does not bear.
            hidden_dim: of the dynamics.
            projection_dim: P.
            across_views: take the frames to come from the last view instead of the first.
            action_stats: of each source with actions.
        """
        super().__init__(encoder)
        horizons = tuple(frame_stride * step for step in range(1, num_steps + 1))
        now = Context(1, 1, horizons[-1])
        self.window = Window(
            specs=(("context", now), ("future", Again(Ahead(now, horizons)))),
            num_views=2 if across_views else 1,
            action_steps=horizons[-1],
        )
        self.other_view = -1 if across_views else 0
        self.num_steps = num_steps
        self.actions = StepActions(32, num_actions=frame_stride, action_stats=action_stats or {})
        self.dynamics = LatentDynamics(encoder.feature_dim, action_dim=32, hidden_dim=hidden_dim)
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.predictor = nn.Linear(projection_dim, projection_dim)
        self.keys = SlowKeys(encoder, self.projector)
        self.momentum = momentum

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return minus the mean cosine of all valid steps."""
        batch = encoded.batch
        now = encoded.features("context")[:, 0]
        joined = None if batch.actions is None else encoded.of("context", batch.actions)[:, 0]
        actions = self.actions(joined, batch.source, num_steps=self.num_steps, like=now)
        predicted = self.predictor(self.projector(self.dynamics.rollout(now, actions)))  # [B,K,P]
        cosines = F.cosine_similarity(predicted, self.keys(encoded.pixels("future", view=self.other_view)), dim=-1)
        return ObjectiveOutput(loss=joint_mean(-cosines.flatten(), encoded.valid("future").flatten()), metrics={})

    def after_step(self, step: int, num_steps: int) -> None:
        """Move the slow copy."""
        self.keys.update(self.encoder, self.projector, momentum=self.momentum)
