"""Two looks without negatives: one tells what a slow copy says of the other."""

import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.config.schema import Positive, Share
from robossl.encoders import Encoder
from robossl.objectives.parts.ema import momentum_at
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.projector import Projector
from robossl.objectives.parts.slow_keys import SlowKeys
from robossl.objectives.two_looks import TwoLooks
from robossl.types import ObjectiveOutput


class Byol(TwoLooks):
    """Bootstrap your own latent, 2020, arXiv 2006.07733; a frame-only reference."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 2,
        momentum: Share = 0.99,
        projection_dim: Positive = 64,
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            momentum: of the slow copy at the first step; it rises to 1.
            projection_dim: P.
            across_views: take the second look from the last view instead of by augmentation.
        """
        super().__init__(encoder, num_instants=num_instants, projection_dim=projection_dim, across_views=across_views)
        self.predictor = Projector(projection_dim, projection_dim)
        self.keys = SlowKeys(encoder, self.projector)
        self.momentum = momentum

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean of 2 - 2 cos over both directions."""
        first, second, valid = self.looks(encoded)
        group, view = self.second
        keys = (self.keys(encoded.pixels(group, view=view)), self.keys(encoded.pixels("anchor")))
        cosines = [
            F.cosine_similarity(self.predictor(rows), key.flatten(0, 1), dim=-1)
            for rows, key in zip((first, second), keys, strict=True)
        ]
        return ObjectiveOutput(loss=joint_mean(2 - 2 * torch.stack(cosines).mean(dim=0), valid), metrics={})

    def after_step(self, step: int, num_steps: int) -> None:
        """Move the slow copy."""
        self.keys.update(self.encoder, self.projector, momentum=momentum_at(step, num_steps, base=self.momentum))
