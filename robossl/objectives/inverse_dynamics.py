"""Tell the action from the frames before and after it."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Context
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.objectives.objective import Objective
from robossl.objectives.parts.conditioning import ActionScaling, ActionStats
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.types import ObjectiveOutput


class InverseDynamics(Objective):
    """Regresses the actions between two frames of a row from their features.

    After Pathak et al. (2017, arXiv 1705.05363). Keeps what the robot controls and drops static distractors. Each
    source has a head of its own, since action sizes differ.
    """

    needs_actions = True
    reads_clips = True

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: int = 2,
        frame_stride: int = 2,
        reach: int = 0,
        hidden_dim: int = 256,
        across_views: bool = False,
        action_stats: Mapping[str, ActionStats] | None = None,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_context: frames in a row; each neighbouring pair is one example.
            frame_stride: source frames, and so actions, between neighbours.
            reach: source frames kept free after them; with the largest horizon of another task the frames are shared.
            hidden_dim: of the heads.
            across_views: take the later frame of each pair from the last view instead of the first.
            action_stats: of each source with actions.

        Raises:
            ConfigError: if there are fewer than two frames.
        """
        super().__init__(encoder)
        if num_context < 2:
            raise ConfigError(f"num_context of inverse_dynamics must be at least 2, got {num_context}")
        self.window = Window(
            specs=(("context", Context(num_context, frame_stride, reach)),),
            num_views=2 if across_views else 1,
            action_steps=frame_stride,
        )
        self.other_view = -1 if across_views else 0
        self.frame_stride = frame_stride
        self.scaling = ActionScaling(action_stats or {})
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(2 * encoder.feature_dim, hidden_dim),
                nn.LayerNorm(hidden_dim),
                nn.ReLU(),
                nn.Linear(hidden_dim, frame_stride * size),
            )
            for size in self.scaling.sizes.values()
        )

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the squared error of scaled actions; 1 is what the mean action would give."""
        batch = encoded.batch
        if batch.actions is None:
            raise ConfigError(f"inverse_dynamics needs actions, and source {batch.source!r} has none")
        features = encoded.features("context", as_clip=True)  # [B,T,D]
        actions = encoded.of("context", batch.actions)[:, :-1]
        truth = self.scaling(actions, batch.source, num_steps=self.frame_stride).flatten(2)  # [B,T-1,kA]
        later = encoded.features("context", view=self.other_view, as_clip=True)
        pairs = torch.cat([features[:, :-1], later[:, 1:]], dim=-1)
        predicted = self.heads[self.scaling.names.index(batch.source)](pairs)
        errors = F.mse_loss(predicted, truth, reduction="none").mean(dim=-1).flatten()
        valid = encoded.valid("context")  # the frame after is in the episode, so all actions up to it are
        loss = joint_mean(errors, (valid[:, :-1] & valid[:, 1:]).flatten())
        return ObjectiveOutput(loss=loss, metrics={})
