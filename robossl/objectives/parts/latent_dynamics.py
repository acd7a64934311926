"""Features stepped forward in time, with the actions of each step where there are any."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.objectives.parts.conditioning import ActionScaling, ActionStats


class StepActions(nn.Module):
    """The actions of each step as one vector: a layer for each source, and zeros where a source has none."""

    def __init__(self, dim: int, *, num_actions: int, action_stats: Mapping[str, ActionStats]) -> None:
        """Make the layers.

        Args:
            dim: size of the vector.
            num_actions: actions in one step, which is the stride in source frames.
            action_stats: of each source with actions.
        """
        super().__init__()
        self.dim = dim
        self.num_actions = num_actions
        self.scaling = ActionScaling(action_stats)
        self.layers = nn.ModuleList(nn.Linear(num_actions * size, dim) for size in self.scaling.sizes.values())

    def forward(
        self, actions: Float[Tensor, "B kA"] | None, source: str, *, num_steps: int, like: Tensor
    ) -> Float[Tensor, "B n E"]:
        """Return the vectors of `num_steps` steps; `like` gives batch size, device and type."""
        if actions is None or source not in self.scaling.sizes:
            return like.new_zeros(len(like), num_steps, self.dim)
        rows = self.scaling(actions, source, num_steps=num_steps * self.num_actions)  # [B,nk,A]
        steps = rows.unflatten(1, (num_steps, self.num_actions)).flatten(2)
        return self.layers[self.scaling.names.index(source)](steps)


class LatentDynamics(nn.Module):
    """Adds to features what changes in one step, told from them and the step's actions."""

    def __init__(self, feature_dim: int, *, action_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(feature_dim + action_dim, hidden_dim),
            nn.LayerNorm(hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, feature_dim),
        )

    def forward(self, features: Float[Tensor, "B D"], action: Float[Tensor, "B E"]) -> Float[Tensor, "B D"]:
        """Return the features of the next step."""
        return features + self.layers(torch.cat([features, action], dim=-1))

    def rollout(self, features: Float[Tensor, "B D"], actions: Float[Tensor, "B K E"]) -> Float[Tensor, "B K D"]:
        """Return the features after each of K steps."""
        out = []
        for action in actions.unbind(dim=1):
            features = self(features, action)
            out.append(features)
        return torch.stack(out, dim=1)
