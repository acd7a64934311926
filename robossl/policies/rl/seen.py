"""What a learner sees of an env, as Stable-Baselines3 takes it."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float32

from robossl.policies.history import History
from robossl.policies.network import PolicyNetwork
from robossl.policies.views import views_of
from robossl.rollout import batch_of_one


class _Seen(gym.Wrapper):
    """Shows an env with nested observations in another way, with a memory of the last pictures.

    Args:
        env: nested; draws no pictures where the network looks at none.
        network: says which cameras, and how many of their last pictures, are seen.
    """

    def __init__(self, env: gym.Env, network: PolicyNetwork) -> None:
        super().__init__(env)
        self._network = network
        self._history = History(network.spec.num_observation_steps)
        simulator: Any = env.unwrapped
        simulator.pictures_later = not network.cameras

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode and forget the pictures of the last one."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._history.reset()
        return self._show(observation, info), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._show(observation, info), float(reward), terminated, truncated, info

    @abstractmethod
    def _show(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Any:
        """Return what the learner sees."""


class SeenContext(_Seen):
    """The context of the network's head: float32 [C]. A frozen encoder sees each picture once, so that the replay holds
    features and an update costs as much as from state.
    """

    def __init__(self, env: gym.Env, network: PolicyNetwork) -> None:
        super().__init__(env, network)
        self.observation_space = spaces.Box(-np.inf, np.inf, (network.context_dim,), np.float32)

    @torch.inference_mode()
    def _show(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Float32[np.ndarray, " C"]:
        network, features = self._network, None
        if network.encoder is not None:
            views = views_of(batch_of_one(observation), network.cameras)
            encoded = network.encoder(torch.from_numpy(views[0]))  # [V,D]
            features = torch.from_numpy(self._history.add(encoded[None].numpy())).flatten(1)
        proprio = torch.from_numpy(np.asarray(observation["agent_pos"], np.float32))[None]
        state = torch.from_numpy(np.asarray(info["environment_state"], np.float32))[None]
        return network.context(features=features, proprio=proprio, state=state)[0].numpy()


class SeenPictures(_Seen):
    """The last pictures themselves, `pixels` uint8 [TV,3,H,W], and `proprio` float32 [S]."""

    def __init__(self, env: gym.Env, network: PolicyNetwork) -> None:
        super().__init__(env, network)
        shown: Any = env.observation_space
        height_px, width_px, _ = shown["pixels"][network.cameras[0]].shape
        shape = (network.num_views, 3, height_px, width_px)
        self.observation_space = spaces.Dict(
            {
                "pixels": spaces.Box(0, 255, shape, np.uint8),
                "proprio": spaces.Box(-np.inf, np.inf, shown["agent_pos"].shape, np.float32),
            }
        )

    def _show(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, np.ndarray]:
        views = views_of(batch_of_one(observation), self._network.cameras)
        return {"pixels": self._history.add(views)[0], "proprio": np.asarray(observation["agent_pos"], np.float32)}
