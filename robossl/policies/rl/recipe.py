"""The settings of a learner; apart from it, so that they can be made without Stable-Baselines3."""

from dataclasses import dataclass
from typing import Literal

Way = Literal["context", "clone", "hindsight", "pictures"]
"""context: on what the head sees, with a frozen encoder or on state; clone: the same, and the head is that of a cloned
policy; hindsight: on state, goals told again; pictures: the encoder is trained along."""


@dataclass(frozen=True, kw_only=True)
class ReinforcementRecipe:
    """How a policy is reinforced."""

    way: Way
    num_steps: int = 20_000
    learning_rate: float = 1e-3
    encoder_learning_rate: float = 1e-3
    layer_decay: float = 1.0
    """Both for `pictures` alone."""
    batch_size: int = 256
    critic_hidden: tuple[int, ...] = (128, 128)
    """For `clone`: the others have the actor's widths."""
    discount: float = 0.98
    target_rate: float = 0.02
    random_steps: int = 500
    update_every: int = 1
    rollout_steps: int = 1024
    exploration_std: float = 0.15
    """Of actions at first, for `clone`."""
    shift_px: int = 4
    seed: int = 0
    device: str = "cpu"
    """Of what is learned."""
