"""From the sources of a pretraining config to cached episodes of the training side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.data.frame_cache import CachedSource
from robossl.data.rerendered import RerenderedSource, look_names
from robossl.data.sources import EpisodeSource, discover_sources
from robossl.data.splits import refuse_heldout, split_episodes
from robossl.errors import ConfigError
from robossl.objectives import ActionStats
from robossl.stages.redraw import open_drawing

ACTION_KEY = "action"
STATE_KEY = "observation.state"
MAX_STATS_EPISODES = 200
"""Enough for two digits of a mean; reading all of a large data set would take longer than training the demo."""


@dataclass(frozen=True, kw_only=True)
class TrainingSource:
    """One source at training size, and which of its episodes may be read."""

    name: str
    source: EpisodeSource
    weight: float
    views: tuple[str, ...]
    objectives: tuple[str, ...] | None
    train: Int64[np.ndarray, " N"]
    test: Int64[np.ndarray, " M"]
    """Never read in training; empty where the source has only one origin."""
    close: Callable[[], None] = lambda: None
    """Frees the env that draws the pictures, if there is one."""

    @property
    def has_actions(self) -> bool:
        """Whether the source knows what the robot did."""
        return ACTION_KEY in self.source.features

    @property
    def has_states(self) -> bool:
        """Whether the source knows where the robot is."""
        return STATE_KEY in self.source.features


def open_sources(config: PretrainConfig) -> list[TrainingSource]:
    """Open, cache and split all sources of a config.

    Raises:
        ConfigError: if there is no source.
        DataError: if one can't be read, or holds episodes of a held-out domain.
    """
    if not config.sources:
        raise ConfigError("sources is empty; name at least one, for example --sources.0.path=runs/collect")
    opened = [found for number, source in enumerate(config.sources) for found in _opened(source, number, config=config)]
    names = [found.name for found in opened]
    if len(set(names)) < len(names):
        raise ConfigError(f"two sources are called alike ({', '.join(names)}); name each path once")
    return opened


def _opened(spec: SourceConfig, number: int, *, config: PretrainConfig) -> list[TrainingSource]:
    if spec.weight <= 0:
        raise ConfigError(f"weight of source {spec.path} must be positive, got {spec.weight}; leave the source out")
    if not spec.path.exists():
        raise ConfigError(f"sources.{number}.path {spec.path} does not exist; collect episodes or name another path")
    found = discover_sources(spec.path)
    # a folder shares its weight out by the frames: a few short files that were seen more often were learned by heart
    sizes = {name: float(source.lengths.sum()) for name, source in found.items()}
    return [
        _training_source(
            f"{spec.path.name}/{name}" if len(found) > 1 else f"{number}-{spec.path.name}",
            source,
            weight=spec.weight * sizes[name] / sum(sizes.values()),
            spec=spec,
            config=config,
        )
        for name, source in found.items()
    ]


def _training_source(
    name: str, source: EpisodeSource, *, weight: float, spec: SourceConfig, config: PretrainConfig
) -> TrainingSource:
    refuse_heldout(source, name=f"{spec.path} ({name})")
    train, test = _split(source, test_fraction=config.test_fraction)
    pictures, close = _pictures(source, spec, config=config)
    return TrainingSource(
        name=name,
        source=pictures,
        weight=weight,
        views=spec.views or default_views(pictures.cameras, num_looks=spec.num_looks if spec.rerender else 2),
        objectives=spec.objectives or None,
        train=train,
        test=test,
        close=close,
    )


def _pictures(
    source: EpisodeSource, spec: SourceConfig, *, config: PretrainConfig
) -> tuple[EpisodeSource, Callable[[], None]]:
    """Return the source at training size, drawn anew or from the cache, and what frees it."""
    if not spec.rerender:
        return CachedSource(source, config.image_size, cache_dir=config.cache_dir), lambda: None
    env = open_drawing(source, domain=spec.look_domain, image_size=config.image_size, where=spec.path)
    drawing: Any = env.unwrapped
    return RerenderedSource(source, drawing, seed=config.seed, num_looks=spec.num_looks), env.close


def default_views(cameras: Sequence[str], *, num_looks: int = 2) -> tuple[str, ...]:
    """Return the first camera and, as far as there are any, its second and further looks."""
    return tuple(name for name in look_names(cameras[0], num_looks) if name in cameras)


def _split(source: EpisodeSource, *, test_fraction: float) -> tuple[np.ndarray, np.ndarray]:
    origins = {source.episode_key(episode) for episode in range(len(source.lengths))}
    if len(origins) < 2 or test_fraction == 0:  # one recording can't be split; nothing is evaluated on it either
        return np.arange(len(source.lengths)), np.arange(0)
    split = split_episodes(source, test_fraction=test_fraction)
    return split.train, split.test


def action_stats(sources: Sequence[TrainingSource]) -> Mapping[str, ActionStats]:
    """Return mean and deviation of actions and states of each source that has actions, over training episodes."""
    stats = {}
    for item in sources:
        if item.has_actions:
            chosen = item.train[:: max(1, len(item.train) // MAX_STATS_EPISODES)]
            mean, std = _mean_and_std(item.source, chosen, ACTION_KEY)
            state_mean, state_std = _mean_and_std(item.source, chosen, STATE_KEY) if item.has_states else ([], [])
            stats[item.name] = ActionStats(mean=mean, std=std, state_mean=state_mean, state_std=state_std)
    return stats


def _mean_and_std(
    source: EpisodeSource, episodes: Int64[np.ndarray, " N"], key: str
) -> tuple[list[float], list[float]]:
    # the last row has no action
    rows = np.concatenate([source.values(int(e), np.arange(max(1, int(source.lengths[e]) - 1)), key) for e in episodes])
    return rows.mean(axis=0).tolist(), rows.std(axis=0).tolist()


def inputs_of(sources: Sequence[TrainingSource]) -> dict[str, str]:
    """Return source name to the digest of its content."""
    return {item.name: item.source.digest for item in sources}
