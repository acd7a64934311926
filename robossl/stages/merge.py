"""`robossl merge` and `robossl split`: data sets put together and taken apart by episode."""

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from robossl.config.merge import MergeConfig, SplitConfig
from robossl.data.lerobot import EpisodeWriter, refuse_foreign, written_behind
from robossl.data.lerobot.copying import refuse_others, refuse_unreadable
from robossl.data.lerobot.header import refuse_unlike, stored_header
from robossl.data.sources import LeRobotSource
from robossl.data.splits import split_episodes
from robossl.errors import ConfigError, DataError
from robossl.runs import Run
from robossl.stages.progress import tracked

ORIGIN = "copied_from"
"""Where an episode's extras name the data set, by its digest, and the episode in it that it was first copied from."""


def merge(config: MergeConfig, *, run: Run) -> dict[str, Any]:
    """Append the episodes that `output` does not hold yet, and return what it holds.

    Raises:
        ConfigError: no data set is named, or `output` is one of them.
        DataError: one can't be read, was not written by robossl, or does not fit the others or what `output` holds;
            `output` can be read then as before.
    """
    if not config.datasets:
        raise ConfigError("datasets is empty; name at least one")
    if config.output.resolve() in {path.resolve() for path in config.datasets}:
        raise ConfigError(f"output {config.output} is one of the data sets: leave it out, it is appended to")
    refuse_foreign(config.output)
    sources = [LeRobotSource(path) for path in config.datasets]
    before = stored_header(config.output).get("total_episodes", 0)  # what a stopped merge copied still counts as new
    with run.time("merge"):
        result = _copy([(source, range(len(source.lengths))) for source in sources], config.output)
    inputs = {str(path): source.digest for path, source in zip(config.datasets, sources, strict=True)}
    run.tracker.log_artifact(
        "episodes", kind="dataset", path=config.output / "meta", inputs=inputs, digest=result.digest
    )
    added = len(result.lengths) - before
    return {
        "summary": f"{added} episodes added, {len(result.lengths)} in all",
        **_described(result),
        "added": added,
        "inputs": inputs,
    }


def split(config: SplitConfig, *, run: Run) -> dict[str, Any]:
    """Write the two data sets and return what they hold.

    Raises:
        ConfigError: an episode is not there, or a side would be empty.
        DataError: the data set can't be read, or was not written by robossl.
    """
    source = LeRobotSource(config.dataset)
    test = _chosen(config, source)
    train = np.setdiff1d(np.arange(len(source.lengths)), test)
    if not len(test) or not len(train):
        raise ConfigError(f"{len(train)} episodes for train and {len(test)} for test: both need at least one")
    with run.time("split"):
        sides = {
            name: _copy([(source, episodes.tolist())], config.output / name)
            for name, episodes in (("train", train), ("test", test))
        }
    return {
        "summary": f"{len(train)} episodes for train, {len(test)} for test",
        **{name: _described(side) for name, side in sides.items()},
        "inputs": {"dataset": source.digest},
    }


def _chosen(config: SplitConfig, source: LeRobotSource) -> np.ndarray:
    if not config.test_episodes:
        return split_episodes(source, test_fraction=config.test_fraction).test
    count, chosen = len(source.lengths), set[int]()
    for text in config.test_episodes:
        match = re.fullmatch(r"(\d+)(?::(\d+))?", text)
        start, stop = (int(match[1]), int(match[2] or int(match[1]) + 1)) if match else (0, -1)
        if not 0 <= start < stop <= count:
            raise ConfigError(f"test_episodes {text!r} must be a number or start:stop within the {count} episodes")
        chosen |= set(range(start, stop))
    return np.array(sorted(chosen), dtype=np.int64)


def _copy(parts: Sequence[tuple[LeRobotSource, Iterable[int]]], output: Path) -> LeRobotSource:
    """Append the episodes that are not there yet; stopped at any point, the same call goes on."""
    first = parts[0][0]
    directories = [refuse_others(source.directory, source.root) for source, _ in parts]
    refuse_unlike(directories, output)
    for directory, (_, episodes) in zip(directories, parts, strict=True):
        refuse_unreadable(directory, episodes)
    writer = EpisodeWriter(output, fps_hz=first.fps_hz, robot_type=first.robot_type)
    present = {str(record.get(ORIGIN)) for record in writer.extras()}
    wanted = []
    for directory, (source, episodes) in zip(directories, parts, strict=True):
        for episode in episodes:
            extras = {key: value for key, value in directory.extras(episode).items() if key != "episode_index"}
            origin = extras.setdefault(ORIGIN, f"{source.digest} episode {episode}")
            if origin not in present:
                present.add(origin)
                wanted.append((partial(writer.append_copy, directory, episode, extras=extras), episode))
    try:
        with closing(written_behind(iter(wanted))) as written:
            for _ in tracked(written, description="copy", total=len(wanted)):
                pass  # what is to be done lies in `wanted`
    except DataError:
        if writer.num_episodes:
            writer.finalize()  # with episodes in its journal no reader would take the data set
        raise
    if not writer.num_episodes:
        raise DataError(f"{first.root} has no episodes to copy")
    writer.finalize()
    return LeRobotSource(output)


def _described(source: LeRobotSource) -> dict[str, Any]:
    return {
        "dataset": str(source.root),
        "episodes": len(source.lengths),
        "frames": int(source.lengths.sum()),
        "digest": source.digest,
    }
