"""Predict features of the future from features of the context."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.data.clip_sampling import sequence_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.conditioning import ActionStats, Conditioning
from robossl.objectives.parts.ema import EmaCopy, momentum_at
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.vicreg import covariance_term, variance_term
from robossl.types import ObjectiveOutput


class FutureFeatures(Objective):
    """Latent prediction against a slow copy of the encoder, with a variance and a covariance term.

    After BYOL (2020, arXiv 2006.07733) and V-JEPA 2 (2025, arXiv 2506.09985) in the target, VICReg (2021, arXiv
    2105.04906) in what keeps features spread: on small data a slow copy alone collapses without a warning.
    """

    reads_clips = True

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: int = 2,
        frame_stride: int = 1,
        horizons: Sequence[int] = (2, 4, 8),
        num_targets: int | None = None,
        variance_weight: float = 1.0,
        covariance_weight: float = 0.04,
        momentum: float = 0.99,
        hidden_dim: int = 256,
        use_actions: bool = True,
        across_views: bool = False,
        action_stats: Mapping[str, ActionStats] | None = None,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_context: frames that the prediction sees.
            frame_stride: source frames from one of them to the next.
            horizons: source frames from the last of them to a target.
            num_targets: how many of the horizons are drawn for each clip; None takes all.
            variance_weight, covariance_weight: of the two VICReg terms (25 : 1 as in the paper).
            momentum: of the slow copy at the first step; it rises to 1.
            hidden_dim: of the predictor.
            use_actions: tell the prediction the actions of sources that have them.
            across_views: take the frames to come from the last view instead of the first.
            action_stats: of each source with actions.
        """
        super().__init__(encoder)
        self.window = sequence_window(
            num_context=num_context,
            horizons=horizons,
            frame_stride=frame_stride,
            num_targets=num_targets,
            num_views=2 if across_views else 1,
        )
        self.other_view = -1 if across_views else 0
        self.variance_weight = variance_weight
        self.covariance_weight = covariance_weight
        self.momentum = momentum
        self.target_encoder = EmaCopy(encoder)
        condition_dim = 64
        known = (action_stats or {}) if use_actions else {}
        self.conditioning = Conditioning(condition_dim, max_horizon=max(horizons), action_stats=known)
        self.predictor = nn.Sequential(
            nn.Linear(num_context * encoder.feature_dim + condition_dim, hidden_dim),
            nn.LayerNorm(hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, encoder.feature_dim),
        )

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return prediction error plus what keeps features from collapsing."""
        batch = encoded.batch
        context, target = encoded.span("context"), encoded.span("target")
        features = encoded.features("context", as_clip=True)  # [B,T,D]
        horizon = (batch.indices[:, target] - batch.indices[:, context][:, -1:]).clamp(min=1)
        actions = None if batch.actions is None else batch.actions[:, context][:, -1]
        condition = self.conditioning(horizon, actions, batch.source)  # [B,K,E]
        known = features.flatten(1)[:, None].expand(-1, condition.shape[1], -1)
        predicted = self.predictor(torch.cat([known, condition], dim=-1))  # [B,K,D]
        with torch.no_grad():
            pixels = encoded.pixels("target", view=self.other_view)
            truth = self.target_encoder.module(pixels.flatten(0, 1)).unflatten(0, pixels.shape[:2])
            truth = F.layer_norm(truth, truth.shape[-1:])
        errors = F.smooth_l1_loss(predicted, truth, reduction="none").mean(dim=-1).flatten()
        prediction = joint_mean(errors, encoded.valid("target").flatten())
        last = features[:, -1]
        variance, covariance = variance_term(last), covariance_term(last)
        return ObjectiveOutput(
            loss=prediction + self.variance_weight * variance + self.covariance_weight * covariance,
            metrics={
                "prediction": float(prediction.detach()),
                "variance": float(variance.detach()),
                "covariance": float(covariance.detach()),
            },
        )

    def after_step(self, step: int, num_steps: int) -> None:
        """Move the slow copy."""
        self.target_encoder.update(self.encoder, momentum=momentum_at(step, num_steps, base=self.momentum))
