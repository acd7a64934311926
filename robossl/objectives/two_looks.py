"""What tasks share that compare two looks at the same instants."""

from jaxtyping import Bool, Float
from torch import Tensor

from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Again, Spread
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.projector import Projector


class TwoLooks(Objective):
    """Gives embeddings of instants and of the same instants again.

    The second look differs by the run's augmentation, which is drawn anew for it, or with `across_views` is that of the
    last view: another camera, or another draw of the randomization.
    """

    min_clips = 2

    def __init__(self, encoder: Encoder, *, num_instants: int, projection_dim: int, across_views: bool) -> None:
        super().__init__(encoder)
        anchors = Spread(num_instants)
        second = () if across_views else (("again", Again(anchors)),)
        self.window = Window(specs=(("anchor", anchors), *second), num_views=2 if across_views else 1)
        self.needs_augmentation = not across_views
        self.second = ("anchor", -1) if across_views else ("again", 0)
        self.projector = Projector(encoder.feature_dim, projection_dim)

    def looks(self, encoded: EncodedBatch) -> tuple[Float[Tensor, "N P"], Float[Tensor, "N P"], Bool[Tensor, " N"]]:
        """Return the embeddings of both looks and which are no fillers."""
        group, view = self.second
        first = self.projector(encoded.features("anchor").flatten(0, 1))
        second = self.projector(encoded.features(group, view=view).flatten(0, 1))
        return first, second, encoded.valid("anchor").flatten()
