"""Episodes from an env and a policy: the same ones however many processes make them, and whoever draws them."""

from robossl.rollout.env_spec import EnvSpec
from robossl.rollout.episode import LOOK2_SUFFIX, SOLVED_DRAWS, PolicyFactory, SecondLook, batch_of_one, run_episode
from robossl.rollout.rollout import rollout
from robossl.rollout.workers import Workers

__all__ = [
    "LOOK2_SUFFIX",
    "SOLVED_DRAWS",
    "EnvSpec",
    "PolicyFactory",
    "SecondLook",
    "Workers",
    "batch_of_one",
    "rollout",
    "run_episode",
]
