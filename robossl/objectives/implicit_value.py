"""Distance to a goal frame as a value function."""

from typing import Annotated

from pydantic import Field

from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import OnTheWay
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.across import seen_across
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.implicit_value import implicit_value_loss
from robossl.types import ObjectiveOutput

Discount = Annotated[float, Field(ge=0, lt=1)]


class ImplicitValue(Objective):
    """Value-implicit pretraining on the features themselves.

    VIP: towards universal visual reward and representation via value-implicit pre-training, 2022, arXiv 2210.00030. The
    goal is a later frame of the clip; without the optional negatives of other videos.
    """

    def __init__(self, encoder: Encoder, *, discount: Discount = 0.98, across_views: bool = False) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            discount: gamma, 0 to below 1.
            across_views: take the goal from the last view instead of the first.
        """
        super().__init__(encoder)
        self.window = Window(specs=(("way", OnTheWay()),), num_views=2 if across_views else 1)
        self.across_views = across_views
        self.discount = discount

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the loss over all clips that are whole."""
        features = seen_across(encoded, "way", 3) if self.across_views else encoded.features("way")
        start, now, later, goal = features.unbind(dim=1)
        loss = implicit_value_loss(
            start, now, later, goal, valid=encoded.valid("way").all(dim=1), discount=self.discount
        )
        return ObjectiveOutput(loss=loss, metrics={})
