"""Cycle consistency between episodes: to a soft neighbour in another clip and back to where one started."""

import torch

from robossl.config.schema import Amount, Positive, Rate
from robossl.data.clip_sampling import instant_window
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.objectives.objective import Objective
from robossl.objectives.parts.cycle import cycle_errors
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import gather, joint_mean, rank
from robossl.objectives.parts.projector import Projector
from robossl.types import ObjectiveOutput


class CycleConsistency(Objective):
    """Each clip goes to the next clip of the joint batch and back.

    Temporal cycle-consistency learning, 2019, arXiv 1904.07846, in its regression form; needs episodes that do the same
    thing, such as demonstrations.
    """

    min_clips = 2

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_instants: Positive = 10,
        temperature: Rate = 0.1,
        variance_weight: Amount = 0.001,
        projection_dim: Positive = 32,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            temperature: of both softmaxes.
            variance_weight: of the logarithm of the variance of the place that is come back to.
            projection_dim: P.

        Raises:
            ConfigError: if there is only one instant.
        """
        super().__init__(encoder)
        if num_instants < 2:
            raise ConfigError(f"num_instants of cycle_consistency must be at least 2, got {num_instants}")
        self.window = instant_window(num_instants=num_instants, num_views=1)
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.temperature = temperature
        self.variance_weight = variance_weight

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean error of all frames."""
        here = self.projector(encoded.features("anchor"))  # [B,T,P]
        valid = encoded.valid("anchor")
        everywhere, all_valid = gather(here), gather(valid)
        following = (torch.arange(len(here), device=here.device) + rank() * len(here) + 1) % len(everywhere)
        errors = cycle_errors(
            here,
            everywhere[following],
            valid=valid,
            back_valid=all_valid[following],
            temperature=self.temperature,
            variance_weight=self.variance_weight,
        )
        return ObjectiveOutput(loss=joint_mean(errors.flatten(), valid.flatten()), metrics={})
