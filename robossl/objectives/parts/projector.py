"""Small MLPs between features and losses."""

from jaxtyping import Float
from torch import Tensor, nn


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
