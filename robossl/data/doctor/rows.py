"""What is wrong with the numbers of episodes."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from robossl.data.doctor.findings import Finding
from robossl.data.lerobot import layout
from robossl.data.lerobot.reader import LeRobotDirectory
from robossl.errors import DataError

DRIFT = 0.1  # of a frame's length; float32 blurs a timestamp by less
MAX_LAG = 20  # frames that commands are looked for before and after the state
OTHER_LAG = 6  # frames by which one episode's lag differs from the usual one before it is a fault
SATURATED = 0.999
MAX_SATURATED = 0.8  # of the numbers of an episode; experts that hurry saturate half of theirs


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The numbers of one episode."""

    episode: int
    actions: np.ndarray | None
    states: np.ndarray | None
    digest: str
    """Of all numbers, to find the same episode again."""
    ranges: dict[str, tuple[np.ndarray, np.ndarray]]
    """Feature to smallest and largest value."""


def examine_rows(directory: LeRobotDirectory, episode: int) -> tuple[Rows, list[Finding]]:
    """Read the numbers of an episode; return those that can be read, and what is wrong."""
    found = list(_index_faults(directory, episode))
    values: dict[str, np.ndarray] = {}
    for key in directory.features:
        try:
            values[key] = directory.values(episode, key)
        except DataError as error:
            found += _unreadable(directory, episode, key, error)
    for key, rows in values.items():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            found.append(_finding("not_finite", episode, f"{key} is not finite in {len(bad)} rows, first in {bad[0]}"))
    actions, states = values.get(layout.ACTION), values.get(layout.STATE)
    found += _action_faults(episode, actions)
    joined = hashlib.blake2b(b"".join(values[key].tobytes() for key in sorted(values)), digest_size=16)
    ranges = {key: (rows.min(axis=0), rows.max(axis=0)) for key, rows in values.items() if len(rows)}
    digest = joined.hexdigest() if values else ""
    return Rows(episode=episode, actions=actions, states=states, digest=digest, ranges=ranges), _once(found)


def _unreadable(directory: LeRobotDirectory, episode: int, key: str, error: DataError) -> Iterator[Finding]:
    """Yield why a column can't be read; a file that is broken as a whole is named once, elsewhere."""
    try:
        path = directory.rows(episode)[0]
        if not path.is_file():
            missing = path.relative_to(directory.root).as_posix()
            yield _finding("missing_file", episode, f"{missing} is not there")
        elif key not in pq.read_schema(path).names:
            yield _finding("missing_column", episode, f"{path.relative_to(directory.root)} has no {key!r}")
        elif "rows of episode" in str(error):
            yield _finding("wrong_length", episode, str(error))
    except DataError as outside:
        yield _finding("hostile_path", episode, str(outside))
    except (OSError, pa.ArrowException):
        return


def _once(found: Sequence[Finding]) -> list[Finding]:
    return list({(finding.kind, finding.what): finding for finding in found}.values())


def _index_faults(directory: LeRobotDirectory, episode: int) -> Iterator[Finding]:
    length = int(directory.lengths[episode])
    if length < 2:
        yield _finding("too_short", episode, f"{length} frames")
    columns: dict[str, np.ndarray] = {}
    for key in ("frame_index", "episode_index", "index", "timestamp"):
        try:
            columns[key] = directory.index_column(episode, key)
        except DataError as error:
            if key in directory.info["features"]:
                yield from _unreadable(directory, episode, key, error)
    if any(len(column) != length for column in columns.values()):
        held = min(len(column) for column in columns.values())
        yield _finding("wrong_length", episode, f"its file holds {held} rows, meta/ says {length}")
        return
    if "frame_index" in columns and not np.array_equal(columns["frame_index"], np.arange(length)):
        yield _finding("frame_index_broken", episode, "frame_index does not count from 0")
    if "index" in columns and not np.array_equal(columns["index"], columns["index"][0] + np.arange(length)):
        yield _finding("index_broken", episode, "index does not rise by one")
    if "episode_index" in columns and len({int(number) for number in columns["episode_index"]} - {episode}):
        other = next(int(number) for number in columns["episode_index"] if number != episode)
        yield _finding("episode_index_broken", episode, f"a row says that it belongs to episode {other}")
    if "timestamp" in columns and length > 1:
        yield from _clock_faults(columns["timestamp"].astype(np.float64), episode, directory.fps_hz)


def _clock_faults(times_s: np.ndarray, episode: int, fps_hz: float) -> Iterator[Finding]:
    if (np.diff(times_s) <= 0).any():
        row = int(np.flatnonzero(np.diff(times_s) <= 0)[0]) + 1
        yield _finding("clock_stands_still", episode, f"timestamp does not rise in row {row}")
        return
    drift = np.abs(times_s - times_s[0] - np.arange(len(times_s)) / fps_hz) * fps_hz
    if abs(times_s[0]) * fps_hz > DRIFT or drift.max() > DRIFT:
        what = f"timestamps are up to {max(drift.max(), abs(times_s[0]) * fps_hz):.2f} frames off {fps_hz:g} Hz"
        yield _finding("timestamp_drift", episode, what)


def _action_faults(episode: int, actions: np.ndarray | None) -> Iterator[Finding]:
    if actions is None or len(actions) < 3:
        return
    actions = actions[:-1]  # the last row repeats none
    if np.isfinite(actions).all() and (np.ptp(actions, axis=0) == 0).all():
        yield _finding("dead_actions", episode, "every action is the same")
    elif np.abs(actions).max() <= 1 and (share := float((np.abs(actions) >= SATURATED).mean())) > MAX_SATURATED:
        yield _finding("saturated_actions", episode, f"{share:.0%} of the action's numbers are -1 or 1")


def compare_rows(rows: Sequence[Rows]) -> Iterator[Finding]:
    """Yield what shows only beside other episodes: the same numbers twice, commands at another time."""
    first: dict[str, int] = {}
    for one in rows:
        if one.digest and one.digest in first:
            yield _finding("duplicate_episodes", one.episode, f"the same numbers as episode {first[one.digest]}")
        elif one.digest:
            first[one.digest] = one.episode
    lags = {one.episode: lag for one in rows if (lag := _lag(one)) is not None}
    if len(lags) < 3:
        return
    usual = float(np.median(list(lags.values())))
    for episode, lag in lags.items():
        if abs(lag - usual) >= OTHER_LAG:
            what = f"the state follows the action by {lag} frames, in other episodes by {usual:g}"
            yield _finding("action_lag", episode, what)


def _lag(rows: Rows) -> int | None:
    """Return by how many frames the state follows the commanded one; None where actions are no commanded states."""
    actions, states = rows.actions, rows.states
    if actions is None or states is None or actions.shape != states.shape or len(actions) < 4 * MAX_LAG:
        return None
    if not (np.isfinite(actions).all() and np.isfinite(states).all()):
        return None
    moving = np.flatnonzero(np.ptp(actions, axis=0) > 1e-6)
    if not len(moving):
        return None
    scale = np.ptp(actions, axis=0)[moving]
    inner = slice(MAX_LAG, len(actions) - MAX_LAG)
    errors = [
        np.abs((actions[inner, moving] - states[MAX_LAG + k : len(states) - MAX_LAG + k, moving]) / scale).mean()
        for k in range(-MAX_LAG, MAX_LAG + 1)
    ]
    return int(np.argmin(errors)) - MAX_LAG


def _finding(kind: str, episode: int, what: str) -> Finding:
    return Finding(kind=kind, where=f"episode {episode}", what=what, episode=episode)
