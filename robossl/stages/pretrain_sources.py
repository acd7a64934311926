"""From the sources of a pretraining config to cached episodes of the training side."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.data.frame_cache import CachedSource, cache_path
from robossl.data.lerobot.layout import write_json
from robossl.data.reading_plan import plan_reading
from robossl.data.rerendered import RerenderedSource, look_names
from robossl.data.sources import EpisodeSource, ScalingSource, discover_sources
from robossl.data.splits import refuse_heldout, split_episodes
from robossl.data.static import static_frames
from robossl.data.static_frames import StaticFrames
from robossl.data.stream import ScaledSource
from robossl.errors import ConfigError
from robossl.objectives import ActionStats
from robossl.stages.redraw import open_drawing

ACTION_KEY = "action"
STATE_KEY = "observation.state"
MAX_STATS_EPISODES = 200
"""Enough for two digits of a mean; reading all of a large data set would take longer than training the demo."""
WAYS = "frames.json"
"""In the run directory: which way the frames of each source with `frames: auto` are read, also after a resume."""
logger = logging.getLogger(__name__)


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
    static: list[StaticFrames] | None = None
    """Of each episode, where nothing moves; None where that was not sought."""
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


def open_sources(config: PretrainConfig, *, directory: Path | None = None) -> list[TrainingSource]:
    """Open, cache and split all sources of a config.

    Args:
        config: names them.
        directory: of the run, where it is kept how frames are read with `frames: auto`.

    Raises:
        ConfigError: if there is no source.
        DataError: if one can't be read, or holds episodes of a held-out domain.
    """
    if not config.sources:
        raise ConfigError("sources is empty; name at least one, for example --sources.0.path=runs/collect")
    opened = [
        found
        for number, source in enumerate(config.sources)
        for found in _opened(source, number, config=config, directory=directory)
    ]
    names = [found.name for found in opened]
    if len(set(names)) < len(names):
        raise ConfigError(f"two sources are called alike ({', '.join(names)}); name each path once")
    return opened


def _opened(spec: SourceConfig, number: int, *, config: PretrainConfig, directory: Path | None) -> list[TrainingSource]:
    if spec.weight <= 0:
        raise ConfigError(f"weight of source {spec.path} must be positive, got {spec.weight}; leave the source out")
    if spec.static_weight < 1 and spec.rerender:
        raise ConfigError(
            f"static_weight={spec.static_weight} of source {spec.path} needs recorded pictures, not rerender"
        )
    if not spec.path.exists():
        raise ConfigError(f"sources.{number}.path {spec.path} does not exist; collect episodes or name another path")
    found = discover_sources(spec.path, shots=spec.shots)
    # a folder shares its weight out by the frames: a few short files that were seen more often were learned by heart
    sizes = {name: float(source.lengths.sum()) for name, source in found.items()}
    return [
        _training_source(
            f"{spec.path.name}/{name}" if len(found) > 1 else f"{number}-{spec.path.name}",
            source,
            weight=spec.weight * sizes[name] / sum(sizes.values()),
            spec=spec,
            config=config,
            directory=directory,
        )
        for name, source in found.items()
    ]


def _training_source(
    name: str,
    source: ScalingSource,
    *,
    weight: float,
    spec: SourceConfig,
    config: PretrainConfig,
    directory: Path | None,
) -> TrainingSource:
    refuse_heldout(source, name=f"{spec.path} ({name})")
    train, test = _split(source, test_fraction=config.test_fraction)
    pictures, close = _pictures(name, source, spec, config=config, directory=directory)
    if len(set(spec.views)) < len(spec.views):
        raise ConfigError(f"views of source {name!r} name one twice: {', '.join(spec.views)}; name each once")
    views = spec.views or default_views(pictures.cameras, num_looks=spec.num_looks if spec.rerender else 2)
    return TrainingSource(
        name=name,
        source=pictures,
        weight=weight,
        views=views,
        static=static_frames(source, views[0], weight=spec.static_weight) if spec.static_weight < 1 else None,
        objectives=spec.objectives or None,
        train=train,
        test=test,
        close=close,
    )


def _pictures(
    name: str, source: ScalingSource, spec: SourceConfig, *, config: PretrainConfig, directory: Path | None
) -> tuple[EpisodeSource, Callable[[], None]]:
    """Return the source at training size, drawn anew, from the cache or from the videos, and what frees it."""
    if not spec.rerender:
        way = _way(name, source, config, directory) if spec.frames == "auto" else spec.frames
        if way == "stream":
            return ScaledSource(source, config.image_size), lambda: None
        return CachedSource(source, config.image_size, cache_dir=config.cache_dir), lambda: None
    env = open_drawing(source, domain=spec.look_domain, image_size=config.image_size, where=spec.path)
    drawing: Any = env.unwrapped
    return RerenderedSource(source, drawing, seed=config.seed, num_looks=spec.num_looks), env.close


def _way(name: str, source: ScalingSource, config: PretrainConfig, directory: Path | None) -> str:
    """Return how the frames are read: as it was decided when the run began, else what a short measurement says."""
    path = None if directory is None else directory / WAYS
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path and path.is_file() else {}
    if name not in known:
        cache = cache_path(source, config.image_size, cache_dir=config.cache_dir)
        num_clips = config.num_steps * config.batch_size
        plan = plan_reading(source, cache, image_size=config.image_size, num_clips=num_clips)
        logger.warning("frames of %s: %s, since %s", name, plan.way, plan.reason)
        known[name] = plan.way
        if path:
            write_json(path, known)
    return known[name]


def cameras_of(sources: Sequence[TrainingSource]) -> list[str]:
    """Return the cameras behind the views of all sources, each look of one counted as that camera."""
    return sorted({re.sub(r"_look\d+$", "", view) for source in sources for view in source.views})


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
