"""Cycle consistency between episodes: to a soft neighbour in another clip and back to where one started."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

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
        across_views: bool = False,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
            temperature: of both softmaxes.
            variance_weight: of the logarithm of the variance of the place that is come back to.
            projection_dim: P.
            across_views: go to the same clip in the last view instead of to the next clip.

        Raises:
            ConfigError: if there is only one instant.
        """
        super().__init__(encoder)
        if num_instants < 2:
            raise ConfigError(f"num_instants of cycle_consistency must be at least 2, got {num_instants}")
        self.window = instant_window(num_instants=num_instants, num_views=2 if across_views else 1)
        self.across_views = across_views
        self.projector = Projector(encoder.feature_dim, projection_dim)
        self.temperature = temperature
        self.variance_weight = variance_weight

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean error of all frames."""
        here = self.projector(encoded.features("anchor"))  # [B,T,P]
        valid = encoded.valid("anchor")
        other, other_valid = self._other(encoded, here)
        errors = cycle_errors(
            here,
            other,
            valid=valid,
            back_valid=other_valid,
            temperature=self.temperature,
            variance_weight=self.variance_weight,
        )
        return ObjectiveOutput(loss=joint_mean(errors.flatten(), valid.flatten()), metrics={})

    def _other(
        self, encoded: EncodedBatch, here: Float[Tensor, "B T P"]
    ) -> tuple[Float[Tensor, "B T P"], Bool[Tensor, "B T"]]:
        """Return the clip that each clip goes to and comes back from, and which of its frames are no fillers."""
        valid = encoded.valid("anchor")
        if self.across_views:
            return self.projector(encoded.features("anchor", view=-1)), valid
        everywhere = gather(here)
        following = (torch.arange(len(here), device=here.device) + rank() * len(here) + 1) % len(everywhere)
        return everywhere[following], gather(valid)[following]
