"""Tell whether three frames are in order of time."""

import itertools

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.config.schema import Positive
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Context
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.types import ObjectiveOutput

ORDERS = tuple(itertools.permutations(range(3)))


class FrameOrder(Objective):
    """Temporal order verification: all six orders of three frames are judged, forwards and backwards being in order.

    Shuffle and learn: unsupervised learning using temporal order verification, 2016, arXiv 1603.08561. Here no order is
    drawn: both right ones and all four wrong ones count, each kind by one half.
    """

    def __init__(self, encoder: Encoder, *, frame_stride: Positive = 3, hidden_dim: Positive = 256) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            frame_stride: source frames from one of the three to the next.
            hidden_dim: of the judge.
        """
        super().__init__(encoder)
        self.window = Window(specs=(("row", Context(3, frame_stride, 0)),))
        self.judge = nn.Sequential(
            nn.Linear(3 * encoder.feature_dim, hidden_dim),
            nn.LayerNorm(hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, 1),
        )

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the cross-entropy; the metric is the part of judgements that are right, both kinds by one half."""
        features = encoded.features("row")  # [B,3,D]
        scores = torch.stack([self.judge(features[:, list(order)].flatten(1))[:, 0] for order in ORDERS], dim=1)
        right = torch.tensor([order[1] == 1 for order in ORDERS], device=scores.device, dtype=scores.dtype)
        weight = torch.where(right > 0, 1 / 4, 1 / 8).to(scores.dtype)
        losses = F.binary_cross_entropy_with_logits(scores, right.expand_as(scores), reduction="none") @ weight
        hits = ((scores > 0) == (right > 0)).to(scores.dtype) @ weight
        valid = encoded.valid("row").all(dim=1)
        return ObjectiveOutput(
            loss=joint_mean(losses, valid), metrics={"accuracy": float(joint_mean(hits.detach(), valid))}
        )
