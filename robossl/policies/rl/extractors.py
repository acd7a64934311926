"""Stable-Baselines3's features extractors that see as a policy network does."""

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from robossl.errors import ConfigError
from robossl.policies.network import PolicyNetwork

GOAL_AXES = ("goal.x", "goal.y", "goal.z")
"""Numbers of the simulator's truth that say what is wanted, where a task has a goal."""


class PictureContext(BaseFeaturesExtractor):
    """Pictures and proprio to the context of the network's head.

    The network stays outside of the module, so that actor, critic and target share one encoder, which `Drq` trains.
    """

    def __init__(self, space: spaces.Dict, network: PolicyNetwork) -> None:
        super().__init__(space, network.context_dim)
        self._network = (network,)  # in a tuple: no child

    def forward(self, observation: dict[str, Tensor]) -> Float[Tensor, "B C"]:
        """Return the context; Stable-Baselines3 hands pictures in as floats of 0-255."""
        (network,) = self._network
        features = network.features(observation["pixels"].to(torch.uint8))
        return network.context(features=features, proprio=observation["proprio"], state=None)


class GoalContext(BaseFeaturesExtractor):
    """The goal-conditioned form to the context of a policy on simulator state.

    The desired goal takes the place of the goal in the state. So hindsight, which changes the desired goal, changes the
    state along, and what was learned is an ordinary policy on state.
    """

    def __init__(self, space: spaces.Dict, network: PolicyNetwork, columns: tuple[int, ...]) -> None:
        super().__init__(space, network.context_dim)
        self._network, self._columns = (network,), list(columns)

    def forward(self, observation: dict[str, Tensor]) -> Float[Tensor, "B C"]:
        """Return the context."""
        (network,) = self._network
        size = network.spec.proprio_dim
        proprio, state = observation["observation"][:, :size], observation["observation"][:, size:].clone()
        state[:, self._columns] = observation["desired_goal"].to(state.dtype)
        return network.context(features=None, proprio=proprio, state=state)


def goal_columns(simulator: Any, *, goal_size: int) -> tuple[int, ...]:
    """Return where in the environment state the goal stands.

    Args:
        simulator: the env itself.
        goal_size: numbers of its desired goal.

    Raises:
        ConfigError: nowhere, so that there is nothing for hindsight to change, or the goal is more than one point.
    """
    names = list(simulator.environment_state_names)
    if goal_size != len(GOAL_AXES):
        raise ConfigError(
            f"hindsight needs an env whose goal is one point, {len(GOAL_AXES)} numbers, as that of "
            f"robossl/PandaReach-v0; the goal of this one has {goal_size}: leave hindsight out"
        )
    if not set(GOAL_AXES) <= set(names):
        raise ConfigError(
            f"hindsight needs an env whose state holds its goal ({', '.join(GOAL_AXES)}), as robossl/PandaReach-v0 "
            f"does; this one has {', '.join(names)}: leave hindsight out"
        )
    return tuple(int(np.flatnonzero([name == axis for name in names])[0]) for axis in GOAL_AXES)
