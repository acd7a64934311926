"""Bring recorded footage in as a LeRobotDataset v3 directory."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from robossl.config.import_footage import ImportConfig
from robossl.data.lerobot import EpisodeWriter, layout, refuse_foreign
from robossl.data.sources import EpisodeSource, LeRobotSource, VideoFolder, open_source
from robossl.data.still_background import background_of, evenly, without
from robossl.data.synchronous_videos import SynchronousVideos
from robossl.data.video.checked_reader import EARLY_S
from robossl.errors import ConfigError, DataError, VideoReadError
from robossl.resize import resize
from robossl.runs import Run
from robossl.stages.progress import tracked

BLOCK_FRAMES = 32  # decoded at a time; bounds the memory for large videos
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stretch of one source episode that becomes one episode: which source frame each row shows."""

    episode: int
    number: int
    frames: np.ndarray


def import_footage(config: ImportConfig, *, run: Run | None = None) -> dict[str, Any]:
    """Import all that can be read; what cannot is named, skipped and counted.

    Stopped at any point, the same call goes on: episodes that are there are not done again.

    Args:
        config: what to import and where to.
        run: the run that books the time.

    Returns:
        `summary`, `episodes`, `frames`, `already_there`, `skipped` and `cut` (path or episode -> reason), `dataset`,
        `inputs`.

    Raises:
        DataError: nothing can be read, or `output` holds another data set.
        ConfigError: a size or length is not possible.
    """
    _check(config)
    refuse_foreign(config.output)  # before the minutes that reading large footage takes
    source = _source(config)
    fps_hz = config.fps_hz or max(1, round(source.fps_hz))
    sizes = {camera: config.image_size or _first_size(source, camera) for camera in source.cameras}
    robot_type, names = _told(source)
    writer = EpisodeWriter(config.output, fps_hz=fps_hz, robot_type=robot_type, names=names)
    done = {(record["episode_key"], record["part"]) for record in writer.extras() if "part" in record}
    skipped, cut = _left_out(source)
    parts = list(_parts(source, config, fps_hz))
    waiting = [part for part in parts if (source.episode_key(part.episode), part.number) not in done]
    with run.time("import") if run else nullcontext():
        for part in tracked(waiting, description="import", total=len(parts), completed=len(parts) - len(waiting)):
            name = source.episode_key(part.episode)
            try:
                _append(writer, source, part, sizes=sizes, config=config)
            except VideoReadError as error:
                skipped[name] = str(error)
                logger.warning("skipped: %s", error)
    if not writer.num_episodes:
        raise DataError(f"nothing of {config.path} could be imported; {len(skipped)} skipped")
    writer.finalize()
    result = LeRobotSource(config.output)
    inputs = {"footage": source.digest}
    if run is not None:  # the description alone: the data set itself stays where it is
        meta = config.output / "meta"
        run.tracker.log_artifact("episodes", kind="dataset", path=meta, inputs=inputs, digest=result.digest)
    return {
        "summary": f"{len(result.lengths)} episodes imported, {len(skipped)} that can't be read skipped"
        + (f", {len(cut)} cut short where they are damaged" if cut else ""),
        "dataset": str(config.output),
        "episodes": len(result.lengths),
        "frames": int(result.lengths.sum()),
        "already_there": len(parts) - len(waiting),
        "skipped": skipped,
        "cut": cut,
        "inputs": inputs,
    }


def _source(config: ImportConfig) -> LeRobotSource | VideoFolder:
    if not config.cameras:
        return open_source(config.path, damaged=config.damaged, shots=config.shots)
    if not config.path.is_dir():
        raise ConfigError(f"{config.path} is no folder; with cameras, give the folder that holds their videos")
    return SynchronousVideos(config.path, cameras=config.cameras, damaged=config.damaged)


def _told(source: EpisodeSource) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the robot and the names of each feature's numbers, where a data set tells them."""
    if not isinstance(source, LeRobotSource):
        return None, {}
    return source.robot_type, {key: source.names(key) for key in source.features}


def _left_out(source: EpisodeSource) -> tuple[dict[str, str], dict[str, str]]:
    """Return the files that can't be read and those that are cut short, each with the reason."""
    if not isinstance(source, VideoFolder):
        return {}, {}
    skipped = {str(path): reason for path, reason in source.skipped.items()}
    return skipped, {str(path): reason for path, reason in source.cut.items()}


def _check(config: ImportConfig) -> None:
    if config.image_size and any(side < 2 or side % 2 for side in config.image_size):
        raise ConfigError(f"image_size={config.image_size} can't be stored: H.264 needs an even height and width")
    if not 0 < config.max_episode_s <= layout.SHARD_DURATION_S:
        raise ConfigError(
            f"max_episode_s={config.max_episode_s} must lie above 0 and at most {layout.SHARD_DURATION_S}"
        )
    if config.fps_hz is not None and config.fps_hz < 1:
        raise ConfigError(f"fps_hz={config.fps_hz} must be at least 1")


def _first_size(source: EpisodeSource, camera: str) -> tuple[int, int]:
    height, width = source.frames(0, [0], camera).shape[-2:]
    return max(2, height - height % 2), max(2, width - width % 2)


def _parts(source: EpisodeSource, config: ImportConfig, fps_hz: int) -> Iterator[Part]:
    """Yield the parts of all episodes; those of one file, which shares its key, are numbered through."""
    counts: Counter[str] = Counter()
    for episode in range(len(source.lengths)):
        key = source.episode_key(episode)
        for frames in _cut(source, episode, config, fps_hz):
            yield Part(episode=episode, number=counts[key], frames=frames)
            counts[key] += 1


def _cut(source: EpisodeSource, episode: int, config: ImportConfig, fps_hz: int) -> Iterator[np.ndarray]:
    """Cut an episode into parts, and pick source frames by their time where the rates differ."""
    rate_hz = float(source.rates_hz[episode]) if isinstance(source, VideoFolder) else source.fps_hz
    frames = _resampled(source, episode, rate_hz=rate_hz, fps_hz=fps_hz)
    rows_per_part = max(1, int(config.max_episode_s * fps_hz))
    for start in range(0, len(frames), rows_per_part):
        yield frames[start : start + rows_per_part]


def _resampled(source: EpisodeSource, episode: int, *, rate_hz: float, fps_hz: int) -> np.ndarray:
    """Return the source frame of each row: the one on the screen at that time where the clock is not steady."""
    length = int(source.lengths[episode])
    if isinstance(source, VideoFolder) and not source.is_steady(episode):
        times_s = source.times_s(episode)
        rows_s = np.arange(max(1, round((times_s[-1] + 1 / rate_hz) * fps_hz))) / fps_hz
        return np.searchsorted(times_s, rows_s + EARLY_S, side="right") - 1
    if round(rate_hz) == fps_hz:  # 29.97 counts as 30: every frame is taken once
        return np.arange(length)
    num_rows = max(1, round(length * fps_hz / rate_hz))
    return np.minimum(np.round(np.arange(num_rows) * rate_hz / fps_hz), length - 1).astype(np.int64)


def _append(
    writer: EpisodeWriter,
    source: EpisodeSource,
    part: Part,
    *,
    sizes: Mapping[str, tuple[int, int]],
    config: ImportConfig,
) -> None:
    metadata = source.episode_metadata(part.episode)
    kept = {key: value for key, value in metadata.items() if key not in ("episode_index", "task", "tasks", "length")}
    identity = {"episode_key": source.episode_key(part.episode), "part": part.number, "source": source.digest}
    writer.append_rows(
        frames={camera: _frames(source, part, camera, size, config) for camera, size in sizes.items()},
        sizes=sizes,
        columns={key: source.values(part.episode, part.frames, key) for key in source.features},
        task=metadata.get("task") or config.task,
        extras=kept | identity,
        length=len(part.frames),
    )


def _frames(
    source: EpisodeSource, part: Part, camera: str, size: tuple[int, int], config: ImportConfig
) -> Iterator[np.ndarray]:
    def read(numbers: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, len(numbers), BLOCK_FRAMES):
            frames = torch.from_numpy(source.frames(part.episode, numbers[start : start + BLOCK_FRAMES], camera))
            yield resize(frames, size, aspect=config.aspect).numpy()

    background = None
    if config.background == "subtract":
        background = background_of(np.concatenate(list(read(evenly(part.frames)))))
    for frames in read(part.frames):
        yield from (frames if background is None else without(frames, background)).transpose(0, 2, 3, 1)
