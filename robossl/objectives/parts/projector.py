"""Small MLPs between features and losses."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)


class Projector(nn.Module):
    """Features to embeddings `[*,D] -> [*,P]`; used by a loss and thrown away after training."""

    def __init__(self, feature_dim: int, projection_dim: int, *, hidden_dim: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(feature_dim, hidden_dim),
            nn.LayerNorm(hidden_dim),  # not BatchNorm: rows stay independent, and ranks need no common statistics
            nn.ReLU(),
            nn.Linear(hidden_dim, projection_dim),
        )

    def forward(self, features: Float[Tensor, "*B D"]) -> Float[Tensor, "*B P"]:
        """Return the embeddings."""
        return self.layers(features)


class UnitProjector(Projector):
    """A projector whose embeddings all have the same length."""

    def __init__(self, feature_dim: int, projection_dim: int, *, scale: float = 1.0, hidden_dim: int = 256) -> None:
        super().__init__(feature_dim, projection_dim, hidden_dim=hidden_dim)
        self.scale = scale

    def forward(self, features: Float[Tensor, "*B D"]) -> Float[Tensor, "*B P"]:
        """Return embeddings of length `scale`."""
        return self.scale * F.normalize(self.layers(features), dim=-1)
