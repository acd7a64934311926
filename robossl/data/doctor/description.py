"""What is wrong with the description of a data set: info, splits, tables, statistics."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from robossl.data.doctor.findings import Finding
from robossl.data.lerobot import layout
from robossl.data.lerobot.inside import lies_inside
from robossl.data.lerobot.reader import LeRobotDirectory, LeRobotV3
from robossl.errors import DataError

MAGIC = b"PAR1"
RERUN_DTYPES = ("video", "image", "bool", "float32", "float64", "int16", "int64", "string", "language")
_FIELDS = re.compile(r"\{(\w+)(?::0\dd)?\}")


def hostile_paths(root: Path) -> Iterator[Finding]:
    """Yield templates of `meta/info.json`, and links, that lead out of the data set."""
    info = json.loads((root / layout.INFO_PATH).read_text(encoding="utf-8"))
    for key in ("data_path", "video_path"):
        template = str(info.get(key) or "")
        left = _FIELDS.sub("", template)
        if template.startswith(("/", "\\")) or ".." in Path(template).parts or "{" in left or ":" in left:
            yield Finding(kind="hostile_path", where=layout.INFO_PATH, what=f"{key} is {template!r}")
    for path in root.rglob("*"):
        if path.is_symlink() and not lies_inside(path, root):
            yield Finding(
                kind="hostile_path", where=path.relative_to(root).as_posix(), what="a link out of the data set"
            )


def examine_shards(root: Path) -> Iterator[Finding]:
    """Yield files of rows that can't be read."""
    for path in sorted((root / "data").rglob("*.parquet")):
        if path.name.startswith(".") or (path.is_symlink() and not path.exists()):
            continue
        where, content = path.relative_to(root).as_posix(), path.read_bytes()
        if content.startswith(MAGIC) and not content.endswith(MAGIC):
            yield Finding(
                kind="missing_footer", where=where, what="the file has no footer, so nothing of it can be read"
            )
            continue
        try:
            pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            yield Finding(kind="unreadable_shard", where=where, what=str(error).splitlines()[0][:120])


def examine_description(directory: LeRobotDirectory) -> Iterator[Finding]:
    """Yield what of `meta/` contradicts itself."""
    info, lengths = directory.info, directory.lengths
    if info["total_episodes"] != len(lengths):
        what = f"total_episodes is {info['total_episodes']}, meta/ lists {len(lengths)}"
        yield Finding(kind="wrong_total_episodes", where=layout.INFO_PATH, what=what)
    if info.get("total_frames", lengths.sum()) != lengths.sum():
        what = f"total_frames is {info['total_frames']}, the lengths sum up to {lengths.sum()}"
        yield Finding(kind="wrong_total_frames", where=layout.INFO_PATH, what=what)
    for key, feature in info["features"].items():
        if feature["dtype"] not in RERUN_DTYPES:
            yield Finding(kind="unreadable_dtype", where=layout.INFO_PATH, what=f"{key} is {feature['dtype']}")
    yield from _splits(directory)
    yield from _orphans(directory)


def _splits(directory: LeRobotDirectory) -> Iterator[Finding]:
    taken: dict[str, set[int]] = {}
    for name, text in dict(directory.info.get("splits") or {}).items():
        match = re.fullmatch(r"(\d+):(\d+)", str(text))
        if match is None or not 0 <= int(match[1]) <= int(match[2]) <= len(directory.lengths):
            what = f"split {name!r} is {text!r} of {len(directory.lengths)} episodes"
            yield Finding(kind="split_out_of_range", where=layout.INFO_PATH, what=what)
            continue
        taken[name] = set(range(int(match[1]), int(match[2])))
    names = sorted(taken)
    for one, other in ((a, b) for a in names for b in names if a < b):
        both = sorted(taken[one] & taken[other])
        if both:
            what = f"{len(both)} episodes are in {one!r} and {other!r}, the first is {both[0]}"
            yield Finding(kind="split_overlap", where=layout.INFO_PATH, what=what, episode=both[0])
        layouts = {_layout(directory, e) for e in taken[one] - taken[other]} - {None}
        shared = [e for e in sorted(taken[other] - taken[one]) if _layout(directory, e) in layouts]
        if shared:
            what = f"{one!r} and {other!r} share the env and seed of episode {shared[0]}"
            yield Finding(kind="split_shares_layout", where=layout.INFO_PATH, what=what, episode=shared[0])


def _layout(directory: LeRobotDirectory, episode: int) -> tuple[str, int] | None:
    extras = directory.extras(episode)
    return (str(extras["env_id"]), int(extras["seed"])) if "seed" in extras and "env_id" in extras else None


def _orphans(directory: LeRobotDirectory) -> Iterator[Finding]:
    used = set()
    for episode in range(len(directory.lengths)):
        try:
            used |= {directory.rows(episode)[0], *(directory.video(episode, c)[0] for c in directory.cameras)}
        except (DataError, KeyError, ValueError):  # named where it is read
            continue
    for path in directory.files():
        where = path.relative_to(directory.root).as_posix()
        if where.startswith(("data/", "videos/")) and path not in used:
            yield Finding(kind="orphan_file", where=where, what="no episode lies in it")


def examine_tasks(directory: LeRobotDirectory) -> Iterator[Finding]:
    """Yield episodes whose task the tables disagree about."""
    for episode in range(len(directory.lengths)):
        where = f"episode {episode}"
        try:
            task = directory.task(episode)
        except KeyError as error:
            what = f"task_index {error} is not in {layout.TASKS_PATH}"
            yield Finding(kind="unknown_task", where=where, what=what, episode=episode)
            continue
        except (DataError, IndexError):  # its rows are missing, which is named there
            continue
        except (OSError, ValueError, pa.ArrowException) as error:
            yield Finding(kind="broken_task_table", where=layout.TASKS_PATH, what=str(error).splitlines()[0][:120])
            return
        named = directory.named_tasks(episode) if isinstance(directory, LeRobotV3) else []
        if named and task not in named:
            what = f"its rows say {task!r}, meta/episodes says {named[0]!r}"
            yield Finding(kind="wrong_task", where=where, what=what, episode=episode)
        elif not task:
            yield Finding(kind="no_task", where=where, what="the task is an empty sentence", episode=episode)


def examine_stats(directory: LeRobotDirectory, ranges: dict[str, tuple[np.ndarray, np.ndarray]]) -> Iterator[Finding]:
    """Yield features whose `meta/stats.json` is not about these rows; `ranges` are their true minima and maxima."""
    path = directory.root / layout.STATS_PATH
    if not path.is_file():
        return
    try:
        stats = layout.read_json_lines(path, whole=True)[0]
    except DataError as error:
        yield Finding(kind="stale_stats", where=layout.STATS_PATH, what=str(error))
        return
    for key, (low, high) in ranges.items():
        if key not in stats:
            continue
        said_low, said_high = (np.asarray(stats[key][name], dtype=np.float64).reshape(-1) for name in ("min", "max"))
        if said_low.shape != low.shape or not (
            np.allclose(said_low, low, rtol=1e-3, atol=1e-4, equal_nan=True)
            and np.allclose(said_high, high, rtol=1e-3, atol=1e-4, equal_nan=True)
        ):
            what = f"the range of {key} is another one than that of the rows"
            yield Finding(kind="stale_stats", where=layout.STATS_PATH, what=what)
