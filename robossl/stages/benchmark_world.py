"""What an env does, in short, so that a number is not taken for that of another world."""

from functools import cache
from typing import Any

import numpy as np

from robossl.config.env import HELDOUT
from robossl.config.recipe import RENDERER, TASKS
from robossl.policies.agents import Scripted
from robossl.rollout import EnvSpec, rollout
from robossl.runs import fingerprint
from robossl.types import Episode

_SEED = 4_999_999
"""Of an episode that no stage of the benchmark uses."""
_NUM_STATES = 11
"""The expert touches nothing before. Once things touch, a processor's last digit grows to centimetres."""


@cache
def world(task: str, domains: tuple[str, ...]) -> str:
    """Return a fingerprint of one episode of the expert in each domain.

    It changes with the task, its expert, the looks and the physics, and stays when only their code is rewritten.
    """
    expert = Scripted(kind="expert")
    specs = [
        EnvSpec(
            env_id=TASKS[task],
            domain=domain,
            options={} if domain.startswith(HELDOUT) else {"renderer": RENDERER},
        )
        for domain in domains
    ]
    episodes = [next(rollout(spec, expert, num_episodes=1, seed=_SEED)) for spec in specs]
    return fingerprint([_behaviour(episode) for episode in episodes])


def _behaviour(episode: Episode) -> list[object]:
    """Return what happened, coarse enough that another processor's last digit is not another world."""
    camera = next(iter(episode.pixels))
    return [
        episode.task,
        episode.renderer,
        np.round(episode.environment_state[:_NUM_STATES:5], 2).tolist(),
        {name: _rounded(value) for name, value in episode.variations.items()},
        np.round(episode.pixels[camera][0].mean(axis=(0, 1))).tolist(),
    ]


def _rounded(value: Any) -> Any:
    return value if isinstance(value, str) or value is None else np.round(np.asarray(value, float), 3).tolist()
