"""What the benches of training share: random frames, the default recipe's objective, and two clocks."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robossl.config.load import load_config
from robossl.config.pretrain import PretrainConfig
from robossl.encoders import build_encoder
from robossl.objectives import WeightedSum, build_objectives

RECIPE = Path(__file__).parents[1] / "configs/pretrain/push.yaml"
Times = tuple[float, float]
"""On the wall's clock, and of the processor: what a busy machine does not change."""
CLOCKS = ("wall", "processor")


class Frames:
    """Episodes of random frames with a state, in memory."""

    cameras = ("front", "front_look2")
    fps_hz, digest = 20.0, "random"

    def __init__(self, *, num_episodes: int, length: int, size: tuple[int, int]) -> None:
        generator = np.random.default_rng(0)
        self.lengths = np.full(num_episodes, length)
        self.features = {"observation.environment_state": 9}
        self._pixels = generator.integers(0, 256, (num_episodes, len(self.cameras), length, 3, *size), np.uint8)
        self._states = generator.normal(size=(num_episodes, length, 9)).astype(np.float32)

    def frames(self, episode: int, indices: Any, camera: str) -> np.ndarray:
        return self._pixels[episode, self.cameras.index(camera), np.asarray(indices)]

    def values(self, episode: int, indices: Any, key: str) -> np.ndarray:
        return self._states[episode, np.asarray(indices)]

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        return {}

    def episode_key(self, episode: int) -> str:
        return f"episode {episode}"


def recipe() -> PretrainConfig:
    """Return the default recipe."""
    return load_config(PretrainConfig, RECIPE)


def build_objective(config: PretrainConfig, name: str, params: Mapping[str, Any]) -> WeightedSum:
    torch.manual_seed(0)
    encoder = build_encoder(
        config.encoder.name,
        image_size=config.image_size,
        feature_dim=config.encoder.feature_dim,
        **config.encoder.params,
    )
    return build_objectives([(name, 1.0, params)], encoder).to(memory_format=torch.channels_last)


def milliseconds(step: Callable[[], Any]) -> Times:
    start = now()
    step()
    return since(start)


def now() -> Times:
    return time.perf_counter(), time.process_time()


def since(start: Times) -> Times:
    """Return milliseconds."""
    return 1000 * (time.perf_counter() - start[0]), 1000 * (time.process_time() - start[1])


def adamw(groups: Any, config: PretrainConfig) -> torch.optim.AdamW:
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
