"""Everything that an episode may draw: the table of variations, its presets, and what they do to a world."""

from robossl_envs.randomization.randomization import Randomization
from robossl_envs.randomization.setting import Asked

__all__ = ["Asked", "Randomization"]
