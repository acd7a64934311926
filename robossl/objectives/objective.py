"""The contract of a pretext task."""

from typing import Any

from torch import nn

from robossl.data.clip_sampling import Window
from robossl.encoders import Encoder
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.types import ClipBatch, ObjectiveOutput


class Objective(nn.Module):
    """Encoder, heads and loss. Children set `window` and implement `compute`.

    DDP wraps the objective, so `forward` is its only entry in training.
    """

    window: Window
    needs_actions = False
    needs_augmentation = False
    """Whether two looks at one frame differ by augmentation alone, so that without it there is nothing to learn."""
    reads_clips = False
    """Whether frames in a row are encoded as a clip, which a video backbone makes use of."""
    min_clips = 1
    """Fewest clips of the joint batch: contrasts need another one, and a variance needs two rows."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return loss and metrics of a batch that `serves` accepts."""
        raise NotImplementedError

    def forward(self, batch: ClipBatch) -> ObjectiveOutput:
        """Return the loss of one batch."""
        return self.compute(EncodedBatch(self.encoder, batch))

    def serves(self, batch: ClipBatch) -> bool:
        """Return whether the batch has the views and actions that the task needs; the same on all ranks."""
        return can_serve(self, num_views=batch.pixels.shape[1], has_actions=batch.actions is not None)

    def param_groups(self) -> list[dict[str, Any]]:
        """Return optimizer groups: matrices decay, biases and norms don't."""
        own = self.own_groups()
        apart = {id(parameter) for group in own for parameter in group["params"]}
        trained = [p for p in self.parameters() if p.requires_grad and id(p) not in apart]
        return [
            {"params": [parameter for parameter in trained if parameter.ndim > 1]},
            {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
            *own,
        ]

    def own_groups(self) -> list[dict[str, Any]]:
        """Return optimizer groups of parameters that learn at another rate (`lr_scale`); none by default."""
        return []

    def after_step(self, step: int, num_steps: int) -> None:
        """Do what follows an optimizer step (slow copies, schedules of weights)."""


def can_serve(objective: Objective, *, num_views: int, has_actions: bool) -> bool:
    """Return whether a source with these views and actions can feed the objective."""
    return num_views >= objective.window.num_views and (has_actions or not objective.needs_actions)
