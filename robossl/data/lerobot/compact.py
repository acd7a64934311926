"""Join the episodes of a journal into the shards of a LeRobotDataset v3.

Shards that are there stay as they are; new ones get the next file numbers. `meta/info.json` is written last and is what
makes the new episodes count, so a kill at any point leaves the journal as the truth and the next `finalize` overwrites.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from robossl.data.lerobot import layout
from robossl.data.lerobot.journal import JournalEpisode
from robossl.data.lerobot.stats import column_stats, from_lists, join_stats, to_lists
from robossl.data.video.encode import codec_header, join_videos

Features = dict[str, dict[str, Any]]


def compact(
    root: Path, episodes: Sequence[JournalEpisode], *, features: Features, fps_hz: int, robot_type: str | None
) -> None:
    """Add the journal's episodes to the shards and `meta/` of `root`."""
    info_path = root / layout.INFO_PATH
    info = json.loads(info_path.read_text(encoding="utf-8")) if info_path.is_file() else {}
    tasks = _tasks(root, known=info.get("total_tasks", 0))
    tasks += sorted({episode.task for episode in episodes} - set(tasks))
    next_row, next_file = info.get("total_frames", 0), info.get("robossl_num_files", 0)
    metadata_file = info.get("robossl_num_metadata_files", 0)
    cameras = [layout.camera_name(key) for key, feature in features.items() if feature["dtype"] == "video"]
    records: list[dict[str, Any]] = []
    for shard in _shards(episodes, cameras, fps_hz=fps_hz):
        place = dict(zip(("chunk_index", "file_index"), divmod(next_file, layout.CHUNK_SIZE), strict=True))
        spans = {camera: _write_video(root, shard, camera, place, fps_hz=fps_hz) for camera in cameras}
        _write_rows(root / layout.DATA_PATH.format(**place), shard, features, tasks, first_row=next_row, fps_hz=fps_hz)
        for position, episode in enumerate(shard):
            index_columns = _index_columns(episode, tasks, first_row=next_row, fps_hz=fps_hz)
            record = _episode_record(episode, place, index_columns, metadata_file=metadata_file)
            for camera, starts in spans.items():
                record |= _video_record(layout.camera_key(camera), place, starts[position], episode.length, fps_hz)
            records.append(record)
            next_row += episode.length
        next_file += 1
    _write_table(root, _metadata_path(metadata_file), pa.Table.from_pylist(records, schema=_episode_schema(records[0])))
    _write_stats(root, _known_records(root, metadata_file + 1))
    _write_tasks(root, tasks)
    _write_extras(root, episodes)
    total_episodes = records[-1]["episode_index"] + 1
    layout.write_json(
        info_path,
        {
            "codebase_version": layout.CODEBASE_VERSION,
            "robot_type": robot_type,
            "total_episodes": total_episodes,
            "total_frames": next_row,
            "total_tasks": len(tasks),
            "chunks_size": layout.CHUNK_SIZE,
            "data_files_size_in_mb": layout.DATA_FILE_SIZE_MB,
            "video_files_size_in_mb": layout.VIDEO_FILE_SIZE_MB,
            "fps": fps_hz,
            "splits": {"train": f"0:{total_episodes}"},
            "data_path": layout.DATA_PATH,
            "video_path": layout.VIDEO_PATH,
            "features": features | layout.index_features(),
            "robossl_num_files": next_file,
            "robossl_num_metadata_files": metadata_file + 1,
        },
    )


def _shards(episodes: Sequence[JournalEpisode], cameras: Sequence[str], *, fps_hz: int) -> list[list[JournalEpisode]]:
    """Cut the episodes into runs that fit one file: short enough, small enough, and encoded alike."""
    shards: list[list[JournalEpisode]] = []
    frames, size_mb, header = 0, 0.0, b""
    for episode in episodes:
        videos = [episode.video(camera) for camera in cameras]
        episode_mb = max(video.stat().st_size for video in videos) / 2**20
        episode_header = b"".join(codec_header(video) for video in videos)
        too_long = (frames + episode.length) / fps_hz > layout.SHARD_DURATION_S
        too_big = size_mb + episode_mb > layout.VIDEO_FILE_SIZE_MB
        if not shards or too_long or too_big or episode_header != header:
            shards.append([])
            frames, size_mb = 0, 0.0
        shards[-1].append(episode)
        frames, size_mb, header = frames + episode.length, size_mb + episode_mb, episode_header
    return shards


def _write_video(
    root: Path, shard: Sequence[JournalEpisode], camera: str, place: dict[str, int], *, fps_hz: int
) -> list[int]:
    path = root / layout.VIDEO_PATH.format(video_key=layout.camera_key(camera), **place)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    starts = join_videos(temporary, [episode.video(camera) for episode in shard], fps_hz=fps_hz)
    os.replace(temporary, path)
    return starts


def _write_rows(
    path: Path,
    shard: Sequence[JournalEpisode],
    features: Features,
    tasks: Sequence[str],
    *,
    first_row: int,
    fps_hz: int,
) -> None:
    values = {key: feature for key, feature in features.items() if feature["dtype"] != "video"}
    schema = pa.schema([(key, _arrow_type(feature)) for key, feature in (values | layout.index_features()).items()])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with pq.ParquetWriter(temporary, schema, compression="snappy") as writer:
        for episode in shard:
            columns = episode.columns() | _index_columns(episode, tasks, first_row=first_row, fps_hz=fps_hz)
            arrays = [_arrow_array(columns[name], schema.field(name).type) for name in schema.names]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))  # one row group an episode
            first_row += episode.length
    os.replace(temporary, path)


def _episode_record(
    episode: JournalEpisode,
    place: dict[str, int],
    index_columns: dict[str, np.ndarray],
    *,
    metadata_file: int,
) -> dict[str, Any]:
    chunk, file = divmod(metadata_file, layout.CHUNK_SIZE)
    stats = episode.stats | {key: column_stats(column) for key, column in index_columns.items()}
    first_row = int(index_columns["index"][0, 0])
    record = {
        "episode_index": episode.index,
        "tasks": [episode.task],
        "length": episode.length,
        "data/chunk_index": place["chunk_index"],
        "data/file_index": place["file_index"],
        "dataset_from_index": first_row,
        "dataset_to_index": first_row + episode.length,
        "meta/episodes/chunk_index": chunk,
        "meta/episodes/file_index": file,
    }
    for key, part in to_lists(stats).items():
        record |= {f"stats/{key}/{name}": value for name, value in part.items()}
    return record


def _index_columns(
    episode: JournalEpisode, tasks: Sequence[str], *, first_row: int, fps_hz: int
) -> dict[str, np.ndarray]:
    frame = np.arange(episode.length, dtype=np.int64)[:, None]
    return {
        "timestamp": (frame / fps_hz).astype(np.float32),
        "frame_index": frame,
        "episode_index": np.full_like(frame, episode.index),
        "index": first_row + frame,
        "task_index": np.full_like(frame, tasks.index(episode.task)),
    }


def _video_record(key: str, place: dict[str, int], start: int, length: int, fps_hz: int) -> dict[str, Any]:
    return {
        f"videos/{key}/chunk_index": place["chunk_index"],
        f"videos/{key}/file_index": place["file_index"],
        f"videos/{key}/from_timestamp": start / fps_hz,  # not a running sum of durations, which drifts
        f"videos/{key}/to_timestamp": (start + length) / fps_hz,
    }


def _write_stats(root: Path, records: Sequence[dict[str, Any]]) -> None:
    parts = []
    for record in records:
        part: dict[str, dict[str, Any]] = {}
        for name, value in record.items():
            if name.startswith("stats/"):
                _, key, statistic = name.split("/")
                part.setdefault(key, {})[statistic] = value
        parts.append(from_lists(part))
    layout.write_json(
        root / layout.STATS_PATH, to_lists({key: join_stats([p[key] for p in parts]) for key in parts[0]})
    )


def _known_records(root: Path, metadata_files: int) -> list[dict[str, Any]]:
    """Read the episodes of earlier calls, so that statistics are always joined from all episodes, once each."""
    tables = [pq.read_table(root / _metadata_path(number)) for number in range(metadata_files)]
    return [record for table in tables for record in table.to_pylist()]


def _tasks(root: Path, *, known: int) -> list[str]:
    if not known:
        return []
    return [str(task) for task in pd.read_parquet(root / layout.TASKS_PATH).index[:known]]


def _write_tasks(root: Path, tasks: Sequence[str]) -> None:
    # the index stays unnamed: rerun reads only the column `__index_level_0__`, lerobot reads either
    frame = pd.DataFrame({"task_index": np.arange(len(tasks))}, index=list(tasks))
    _write_table(root, layout.TASKS_PATH, pa.Table.from_pandas(frame, preserve_index=True))


def _write_extras(root: Path, episodes: Sequence[JournalEpisode]) -> None:
    path = root / layout.EXTRAS_PATH
    lines = path.read_text(encoding="utf-8").splitlines()[: episodes[0].index] if path.is_file() else []
    lines += [json.dumps({"episode_index": episode.index} | episode.extras) for episode in episodes]
    layout.write_atomic(path, "\n".join(lines) + "\n")


def _write_table(root: Path, name: str, table: pa.Table) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    pq.write_table(table, temporary, compression="snappy")
    os.replace(temporary, path)


def _metadata_path(metadata_file: int) -> str:
    chunk, file = divmod(metadata_file, layout.CHUNK_SIZE)
    return layout.EPISODES_PATH.format(chunk_index=chunk, file_index=file)


def _episode_schema(record: dict[str, Any]) -> pa.Schema:
    """Fix the types: an episode with a whole-numbered statistic must not turn the column into integers."""
    inferred = pa.Table.from_pylist([record]).schema
    return pa.schema([(f.name, f.type) for f in inferred])


def _arrow_type(feature: dict[str, Any]) -> pa.DataType:
    scalar = pa.bool_() if feature["dtype"] == "bool" else getattr(pa, feature["dtype"])()
    (dim,) = feature["shape"]
    return scalar if dim == 1 else pa.list_(scalar, dim)


def _arrow_array(column: np.ndarray, kind: pa.DataType) -> pa.Array:
    flat = np.ascontiguousarray(column).reshape(-1)
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(pa.array(flat, type=kind.value_type), kind.list_size)
    return pa.array(flat, type=kind)
