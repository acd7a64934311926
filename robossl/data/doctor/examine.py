"""Examine whatever lies at a path."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from robossl.data.doctor.description import (
    examine_description,
    examine_shards,
    examine_stats,
    examine_tasks,
    hostile_paths,
)
from robossl.data.doctor.findings import Finding
from robossl.data.doctor.footage import examine_footage
from robossl.data.doctor.pictures import Look, compare_looks, examine_look, look_at, unreadable
from robossl.data.doctor.rows import Rows, compare_rows, examine_rows
from robossl.data.doctor.video import examine_video
from robossl.data.lerobot import layout
from robossl.data.lerobot.reader import LeRobotDirectory, LeRobotV3
from robossl.data.sources import LeRobotSource, ScalingSource
from robossl.data.video.scan import scan_video
from robossl.data.video_folder import VideoFolder, video_files
from robossl.errors import DataError, VideoReadError

BINS = 10  # along each of the first three numbers of the state
WRONG_RATE = 0.005
UNREADABLE = ("missing_file", "hostile_path", "video_too_short")
Track = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found, and what the data are like."""

    findings: list[Finding]
    looks: list[Look]
    figures: dict[str, float | int | None] = field(default_factory=dict)
    """Episodes, frames, coverage of the state, variance of the action, share of frames and episodes that repeat."""

    @property
    def faults(self) -> list[Finding]:
        """What is wrong."""
        return [finding for finding in self.findings if finding.is_fault]


def examine(path: Path, *, track: Track = iter) -> Examination:
    """Examine a video, a folder of videos or a LeRobotDataset directory; every frame is decoded.

    Args:
        path: what lies there.
        track: wraps the numbers of the episodes, to show progress.

    Raises:
        DataError: there is nothing, or no video.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist: give a data set directory, a folder of videos or a video file")
    if (path / layout.INFO_PATH).is_file() or (path / layout.JOURNAL_PATH).is_dir():
        return _data_set(path, track)
    return _folder(path, track)


# --- folders of videos ------------------------------------------------------------------------------------------------


def _folder(path: Path, track: Track) -> Examination:
    files = video_files(path)
    findings = []
    for number in track(range(len(files))):
        file = files[number]
        where = file.relative_to(path).as_posix() if file != path else file.name
        findings += list(examine_video(file, where=where)) if file.is_file() else []
    looks: list[Look] = []
    try:
        source = VideoFolder(path, damaged="keep_prefix")
    except DataError:  # no file can be read, which is said of each
        return Examination(findings=findings, looks=[], figures=_figures([], [], 0))
    for episode in range(len(source.lengths)):
        found, seen = _look(source, episode, "video", where=source.episode_key(episode), states=None)
        findings, looks = [*findings, *found], [*looks, *seen]
    findings += _same_pictures(looks, source)
    return Examination(findings=findings, looks=looks, figures=_figures([], looks, len(source.lengths)))


def _same_pictures(looks: list[Look], source: VideoFolder) -> Iterator[Finding]:
    """Yield videos that are the same as an earlier one."""
    for position, look in enumerate(looks):
        for other in looks[:position]:
            alike = len(look.same) == len(other.same) and np.array_equal(look.sample, other.sample)
            if alike and np.array_equal(look.ends, other.ends):
                where, what = source.episode_key(look.episode), f"the same as {source.episode_key(other.episode)}"
                yield Finding(kind="duplicate_episodes", where=where, what=what, episode=look.episode)
                break


# --- data sets --------------------------------------------------------------------------------------------------------


def _data_set(root: Path, track: Track) -> Examination:
    findings: list[Finding] = []
    try:
        findings += list(hostile_paths(root)) if (root / layout.INFO_PATH).is_file() else []
        source = LeRobotSource(root)
        directory = source.directory
        lengths = directory.lengths
        findings += list(examine_shards(root))
        findings += [*examine_description(directory), *examine_tasks(directory)]
    except (DataError, KeyError, ValueError, TypeError) as error:
        return Examination(findings=[*findings, _broken(root, error)], looks=[], figures=_figures([], [], 0))
    rows: list[Rows] = []
    looks: list[Look] = []
    bad_files: dict[Path, int] = {}
    for episode in track(range(len(lengths))):
        numbers, found = examine_rows(directory, episode)
        findings += found
        rows.append(numbers)
        for camera in directory.cameras:
            found = list(_video_faults(directory, episode, camera, bad_files))
            findings += found
            if not any(finding.kind in UNREADABLE for finding in found):
                where = f"episode {episode}, {camera}"
                found, seen = _look(source, episode, camera, where=where, states=numbers.states)
                is_known = bad_files[directory.video(episode, camera)[0]] and not seen
                findings, looks = findings + ([] if is_known else found), looks + seen
    findings += [*compare_rows(rows), *compare_looks(looks), *_stats_faults(directory, rows)]
    return Examination(findings=findings, looks=looks, figures=_figures(rows, looks, len(lengths)))


def _broken(root: Path, error: Exception) -> Finding:
    text = str(error) if isinstance(error, DataError) else f"a value is missing or of another type ({error})"
    kind = "broken_info"
    if "not finalized" in text:
        kind = "unfinished_recording"
    elif "meta/episodes" in text:
        kind = "broken_episode_table"
    return Finding(kind=kind, where=root.name, what=text)


def _video_faults(
    directory: LeRobotDirectory, episode: int, camera: str, bad_files: dict[Path, int]
) -> Iterator[Finding]:
    """Yield what is wrong with the video of an episode; each file is examined with its first episode."""
    at = partial(Finding, where=f"episode {episode}, {camera}", episode=episode, camera=camera)
    try:
        path, first = directory.video(episode, camera)
    except DataError as error:
        yield at(kind="hostile_path", what=str(error))
        return
    if not path.is_file():
        yield at(kind="missing_file", what=f"{path.relative_to(directory.root)} is not there")
        return
    if path not in bad_files:
        found = list(_file_faults(directory, path, camera))
        bad_files[path] = sum(finding.is_fault for finding in found)
        yield from found
    if isinstance(directory, LeRobotV3):
        start = directory.from_timestamp_s(episode, camera) * directory.fps_hz
        if abs(start - round(start)) > 0.01:
            what = f"from_timestamp lies {abs(start - round(start)):.2f} frames beside a frame"
            yield at(kind="from_timestamp_drift", what=what)
    try:
        scan = scan_video(path)
    except VideoReadError:
        return
    num_frames = scan.num_packets if scan.times is None else len(scan.times)
    if first + int(directory.lengths[episode]) > num_frames and not bad_files[path]:
        what = f"frames {first} to {first + int(directory.lengths[episode]) - 1} of a video of {num_frames}"
        yield at(kind="video_too_short", what=what)


def _file_faults(directory: LeRobotDirectory, path: Path, camera: str) -> Iterator[Finding]:
    where = path.relative_to(directory.root).as_posix()
    yield from examine_video(path, where=where)
    try:
        scan = scan_video(path)
    except VideoReadError:
        return
    if len(scan.times if scan.times is not None else []) > 1 and abs(scan.fps_hz / directory.fps_hz - 1) > WRONG_RATE:
        what = f"{scan.fps_hz:.3f} frames a second, {layout.INFO_PATH} says {directory.fps_hz:g}"
        yield Finding(kind="wrong_fps", where=where, what=what)
    height, width = directory.info["features"][directory.camera_key(camera)]["shape"][:2]
    if sorted((height, width)) != sorted(scan.size):  # it may be turned
        what = f"{scan.size[1]}x{scan.size[0]} px, {layout.INFO_PATH} says {width}x{height}"
        yield Finding(kind="wrong_size", where=where, what=what)


def _look(
    source: ScalingSource, episode: int, camera: str, *, where: str, states: np.ndarray | None
) -> tuple[list[Finding], list[Look]]:
    try:
        look = look_at(source, episode, camera)
        footage = list(examine_footage(source, episode, camera, where=where))
    except DataError as error:
        return [unreadable(error, where=where, episode=episode, camera=camera)], []
    return [*examine_look(look, where=where, fps_hz=source.fps_hz, states=states), *footage], [look]


def _stats_faults(directory: LeRobotDirectory, rows: list[Rows]) -> Iterator[Finding]:
    keys = rows[0].ranges if rows else {}
    ranges = {
        key: (np.min([r.ranges[key][0] for r in rows], axis=0), np.max([r.ranges[key][1] for r in rows], axis=0))
        for key in keys
        if all(key in r.ranges for r in rows)
    }
    yield from examine_stats(directory, ranges)


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(rows: list[Rows], looks: list[Look], num_episodes: int) -> dict[str, float | int | None]:
    same = sum(int(look.same.sum()) for look in looks)
    frames = sum(len(look.same) + 1 for look in looks)
    digests = [one.digest for one in rows if one.digest]
    return {
        "episodes": num_episodes,
        "frames": frames,
        "state_coverage": _coverage([one.states for one in rows if one.states is not None]),
        "action_variance": _variance([one.actions for one in rows if one.actions is not None]),
        "repeated_frames": same / frames if frames else None,
        "repeated_episodes": 1 - len(set(digests)) / len(digests) if digests else None,
    }


def _coverage(states: list[np.ndarray]) -> float | None:
    """Return the share of cells, 10 along each of the first three numbers that vary, that some state lies in."""
    if not states:
        return None
    joined = np.concatenate(states)
    joined = joined[np.isfinite(joined).all(axis=1)]
    spread = np.ptp(joined, axis=0) if len(joined) else np.zeros(0)
    varying = np.flatnonzero(spread > 0)[:3]
    if not len(varying):
        return 0.0
    low = joined[:, varying].min(axis=0)
    cells = np.minimum(((joined[:, varying] - low) / spread[varying] * BINS).astype(int), BINS - 1)
    return len({tuple(cell) for cell in cells.tolist()}) / BINS ** len(varying)


def _variance(actions: list[np.ndarray]) -> float | None:
    """Return the mean variance of the action's numbers, the last row of each episode left out."""
    joined = np.concatenate([one[:-1] for one in actions]) if actions else np.zeros((0, 1))
    joined = joined[np.isfinite(joined).all(axis=1)]
    return float(joined.var(axis=0).mean()) if len(joined) else None
