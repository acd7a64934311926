"""An episode of a data set as it goes into another one: rows in their own types, video without encoding it again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from robossl.data.lerobot.journal import WriteVideo
from robossl.data.lerobot.reader import LeRobotV3
from robossl.data.lerobot.stats import Stats
from robossl.data.video.encode import cut_video
from robossl.errors import DataError


def stored_columns(directory: LeRobotV3, episode: int) -> dict[str, np.ndarray]:
    """Return the value columns of an episode, [L, D] each, in the type that they are stored in.

    Raises:
        DataError: its file can't be read.
    """
    path, start = directory.rows(episode)
    length = int(directory.lengths[episode])
    try:
        table = pq.read_table(path, columns=list(directory.features)).slice(start, length)
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise DataError(f"can't read {path}: {error}") from error
    return {key: _flat(table[key]).reshape(length, dim) for key, dim in directory.features.items()}


def copying(directory: LeRobotV3, episode: int, camera: str) -> WriteVideo:
    """Return what copies the video of a camera, and takes its statistics over."""

    def write(path: Path) -> Stats:
        source, first = directory.video(episode, camera)
        length = int(directory.lengths[episode])
        cut_video(path, source, first=first, num_frames=length, fps_hz=int(directory.fps_hz))
        return directory.stats(episode, directory.camera_key(camera))

    return write


def refuse_unreadable(directory: LeRobotV3, episodes: Iterable[int]) -> None:
    """Refuse videos that can't be opened, before anything is copied.

    Raises:
        DataError: there is one; the text names it.
    """
    episodes = list(episodes)
    for path in sorted({directory.video(episode, camera)[0] for episode in episodes for camera in directory.cameras}):
        try:
            with av.open(str(path)) as container:
                container.streams.video[0]
        except (av.FFmpegError, OSError, IndexError) as error:
            raise DataError(f"can't read {path}: {error}") from error


def _flat(column: pa.ChunkedArray) -> np.ndarray:
    array: Any = column.combine_chunks()
    if pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    found: np.ndarray = array.to_numpy(zero_copy_only=False)
    return found


def refuse_others(directory: object, root: Path) -> LeRobotV3:
    """Return the directory if robossl wrote it.

    Raises:
        DataError: it did not.
    """
    if not isinstance(directory, LeRobotV3) or "robossl_num_files" not in directory.info:
        raise DataError(f"{root} was not written by robossl: bring it in with robossl import first")
    return directory
