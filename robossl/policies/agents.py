"""Policies that act in envs, and the picklable factories that `rollout` makes them with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Literal

import gymnasium as gym
import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8

from robossl.config.env import SCRIPTED
from robossl.errors import ConfigError
from robossl.policies.chunking import ChunkExecutor
from robossl.policies.demonstrations import GOAL_VIEW
from robossl.policies.fitting import check_fits
from robossl.policies.history import History
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import CARD, ExecutionSpec, load_policy, load_policy_card
from robossl.policies.views import views_of
from robossl.rollout import PolicyFactory
from robossl.types import Policy


class ClonedPolicy:
    """Acts with a fitted network: numpy in and out, N observations at a time.

    Args:
        network: the fitted network.
        execution: how its chunks are executed.
        seed: of heads that sample.
    """

    def __init__(self, network: PolicyNetwork, execution: ExecutionSpec, *, seed: int = 0) -> None:
        self.network = network.eval()
        self._generator = torch.Generator().manual_seed(seed)
        self._history = History(network.spec.num_observation_steps)
        self._executor = ChunkExecutor(
            network.spec.chunk_length,
            execution=execution.execution,
            execute_steps=execution.execute_steps,
            rate=execution.rate,
        )

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Forget the chunks that are being executed, and what was seen."""
        self._history.reset(env_mask)
        self._executor.reset(env_mask)

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, "N A"]:
        """Return actions in [-1, 1], or in the units that the policy was taught in.

        Raises:
            ConfigError: the observation lacks a camera that the policy sees.
        """
        views = self._history.add(views_of(observation, cameras)) if (cameras := self.network.cameras) else None
        if self._executor.needs_chunk():
            self._executor.add(self._chunk(observation, views))
        return self._executor.step()

    @torch.inference_mode()
    def _chunk(
        self, observation: Mapping[str, Any], views: UInt8[np.ndarray, "N V 3 H W"] | None
    ) -> Float32[np.ndarray, "N K A"]:
        device = self.network.get_buffer("action_mean").device
        network = self.network
        pixels = state = None
        if views is not None:
            pixels = torch.from_numpy(views).to(device)
        if network.spec.state_dim:
            state = torch.from_numpy(np.asarray(observation["environment_state"], np.float32)).to(device)
        proprio = torch.from_numpy(np.asarray(observation["agent_pos"], np.float32)).to(device)
        return network(pixels=pixels, proprio=proprio, state=state, generator=self._generator).cpu().numpy()


class RandomPolicy:
    """Uniform actions: the floor of every table."""

    def __init__(self, action_dim: int, *, seed: int) -> None:
        self.action_dim = action_dim
        self._generator = np.random.default_rng([seed, 3])

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Do nothing: each action is drawn on its own."""

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, "N A"]:
        """Return actions in [-1, 1]."""
        count = len(observation["agent_pos"])
        return self._generator.uniform(-1, 1, (count, self.action_dim)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """The env's own expert or play policy (which read simulator truth), or uniform actions."""

    sees_pixels: ClassVar[bool] = False
    kind: Literal["expert", "play", "random"]
    noise: float = 0.0
    """Standard deviation of what is added to the expert's actions."""
    burst_rate: float = 0.0
    """Chance of each step that one drawn action takes the expert's place for a few steps."""

    def __call__(self, env: gym.Env, seed: int) -> Policy:
        """Return the policy of the episode with this seed."""
        if self.kind == "random":
            shape = env.action_space.shape
            return RandomPolicy(int(np.prod(shape or ())), seed=seed)
        simulator: Any = env.unwrapped
        bursts = {"burst_rate": self.burst_rate} if self.burst_rate else {}
        if bursts.keys() - signature(simulator.expert).parameters.keys():
            raise ConfigError(f"the scripts of {simulator.spec.id} know no bursts; leave burst_rate out")
        return simulator.expert(noise=self.noise, seed=seed, kind=self.kind, **bursts)


@dataclass(frozen=True, kw_only=True)
class SavedPolicy:
    """A policy directory; each process loads it once."""

    path: Path

    def __call__(self, env: gym.Env, seed: int) -> Policy:
        """Return the policy of one episode.

        Raises:
            ConfigError: it does not fit the env.
        """
        # the card is written with the rest of the directory, so its time tells whether the policy is another one
        network, execution = _loaded(self.path, (self.path / CARD).stat().st_mtime_ns if self.path.exists() else 0)
        check_fits(network, env, self.path)
        return ClonedPolicy(network, execution, seed=seed)


def env_options(policy: str | Path) -> dict[str, Any]:
    """Return what an env is made with beside its cameras, so that it shows all that a policy sees."""
    if not (Path(policy) / CARD).is_file():  # a scripted one; or none, which is said where it is needed
        return {}
    return {"goal_image": True} if GOAL_VIEW in load_policy_card(policy)["cameras"] else {}


def policy_factory(policy: str | Path, *, noise: float = 0.0, burst_rate: float = 0.0) -> PolicyFactory:
    """Return the factory of `expert`, `play`, `random` or of a policy directory.

    Raises:
        ConfigError: neither of them.
    """
    match str(policy):
        case "expert" | "play" | "random" as kind:
            return Scripted(kind=kind, noise=noise, burst_rate=burst_rate)
        case _ if (Path(policy) / CARD).is_file():
            return SavedPolicy(path=Path(policy))
        case _:
            raise ConfigError(f"policy {str(policy)!r} is neither {', '.join(SCRIPTED)} nor a policy/ directory")


@lru_cache(maxsize=4)
def _loaded(path: Path, modified_ns: int) -> tuple[PolicyNetwork, ExecutionSpec]:
    del modified_ns
    return load_policy(path)
