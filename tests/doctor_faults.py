"""Every fault that can be put into a clean data set: what it does, and the kind that the doctor must find."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
from doctor_sets import LENGTH, META, NUM, ROWS, START, cut, edit_column, edit_info, rows_of, video, videos_of
from recordings import make_episode

from robossl.data.lerobot import EpisodeWriter
from robossl.data.video import encode_video


def encode_again(root: Path, *, fps_hz: int = 20, width: int = 64, num_frames: int = NUM * LENGTH) -> None:
    frames = [frame for episode in range(NUM) for frame in videos_of(episode)["front"]][:num_frames]
    encode_video(video(root), [frame[:, :width] for frame in frames], fps_hz=fps_hz)


def unsteady(root: Path) -> None:
    shown = [frame for episode in range(NUM) for frame in videos_of(episode)["front"]]
    with av.open(str(video(root)), "w") as container:
        stream = container.add_stream("libx264", rate=20, options={"bf": "0"})
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 40)
        for number, image in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = 2 * number + number % 2  # the mean rate stays
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def set_stats(root: Path) -> None:
    stats = json.loads((root / "meta/stats.json").read_text())
    stats["action"]["max"] = [9.0, 9.0, 9.0]
    (root / "meta/stats.json").write_text(json.dumps(stats))


def link_out(root: Path) -> None:
    outside = root.parent / "outside.mp4"
    shutil.move(video(root), outside)
    video(root).symlink_to(outside)


def put(row: int, value: object) -> Callable[[np.ndarray], None]:
    def change(values: np.ndarray) -> None:
        values[row] = value

    return change


def shift(rows: slice, by: float) -> Callable[[np.ndarray], None]:
    def change(values: np.ndarray) -> None:
        values[rows] += np.asarray(by).astype(values.dtype)

    return change


def stretch(values: np.ndarray) -> None:
    values[100:200] *= np.float32(1.05)


def rename_features(root: Path) -> None:
    info = json.loads((root / "meta/info.json").read_text())
    info["features"]["action"]["dtype"] = "float16"
    edit_info(root, features=info["features"])


def drop_column(root: Path) -> None:
    table = pq.read_table(root / ROWS)
    pq.write_table(table.drop_columns(["action"]), root / ROWS)


def last_rows_lost(root: Path) -> None:
    pq.write_table(pq.read_table(root / ROWS)[:-10], root / ROWS)


def second_task(root: Path) -> None:
    """Add a sentence, and give it to the rows of episode 1."""
    table = pq.read_table(root / "meta/tasks.parquet").to_pandas()
    table.loc["push"] = len(table)
    table.to_parquet(root / "meta/tasks.parquet")
    edit_column(root, "task_index", put(slice(100, 200), 1))


def unfinished(root: Path) -> None:
    shutil.rmtree(root)
    writer = EpisodeWriter(root, fps_hz=20)
    writer.append(make_episode(0))


IN_FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "unfinished_recording": ("unfinished_recording", unfinished),
    "info": ("broken_info", lambda root: (root / "meta/info.json").write_text("{no")),
    "absolute": ("hostile_path", lambda root: edit_info(root, data_path="/etc/{file_index:03d}")),
    "dots": ("hostile_path", lambda root: edit_info(root, video_path="../{video_key}/{file_index:03d}.mp4")),
    "link": ("hostile_path", link_out),
    "episodes": ("wrong_total_episodes", lambda root: edit_info(root, total_episodes=5)),
    "frames": ("wrong_total_frames", lambda root: edit_info(root, total_frames=301)),
    "table": ("broken_episode_table", lambda root: (root / META).write_bytes(b"no")),
    "tasks": ("broken_task_table", lambda root: (root / "meta/tasks.parquet").write_bytes(b"no")),
    "range": ("split_out_of_range", lambda root: edit_info(root, splits={"train": "0:9"})),
    "overlap": ("split_overlap", lambda root: edit_info(root, splits={"train": "0:3", "test": "2:3"})),
    "dtype": ("unreadable_dtype", rename_features),
    "stats": ("stale_stats", set_stats),
    "no rows": ("missing_file", lambda root: (root / ROWS).unlink()),
    "no video": ("missing_file", lambda root: video(root).unlink()),
    "footer": ("missing_footer", lambda root: cut(root / ROWS)),
    "shard": ("unreadable_shard", lambda root: (root / ROWS).write_bytes(b"no" * 400)),
    "column": ("missing_column", drop_column),
    "rows": ("wrong_length", last_rows_lost),
    "frame_index": ("frame_index_broken", lambda root: edit_column(root, "frame_index", shift(slice(150, 200), 1))),
    "index": ("index_broken", lambda root: edit_column(root, "index", shift(slice(150, 200), 1))),
    "episode_index": ("episode_index_broken", lambda root: edit_column(root, "episode_index", put(150, 3))),
    "drift": ("timestamp_drift", lambda root: edit_column(root, "timestamp", stretch)),
    "clock": ("clock_stands_still", lambda root: edit_column(root, "timestamp", put(150, 2.45))),
    "wrong task": ("wrong_task", second_task),
    "unknown task": ("unknown_task", lambda root: edit_column(root, "task_index", put(slice(100, 200), 7))),
    "video": ("unreadable_video", lambda root: video(root).write_bytes(b"no" * 400)),
    "damage": ("damaged_video", lambda root: cut(video(root))),
    "unsteady": ("variable_frame_rate", unsteady),
    "rate": ("wrong_fps", lambda root: encode_again(root, fps_hz=25)),
    "size": ("wrong_size", lambda root: encode_again(root, width=62)),
    "short": ("video_too_short", lambda root: encode_again(root, num_frames=290)),
    "start": (
        "from_timestamp_drift",
        lambda root: edit_column(root, START, shift(slice(1, 3), 0.013), META),
    ),
}


# --- faults of what was recorded --------------------------------------------------------------------------------------


def _not_finite(columns: dict, frames: dict) -> None:
    columns["action"][7, 1] = np.nan


def _dead(columns: dict, frames: dict) -> None:
    columns["action"][:] = 0.25


def _saturated(columns: dict, frames: dict) -> None:
    columns["action"][:] = np.sign(columns["action"])


def _lag(columns: dict, frames: dict) -> None:
    columns["action"] = np.roll(columns["action"], 12, axis=0)


def _twice(columns: dict, frames: dict) -> None:
    columns |= rows_of(0)


def _black(columns: dict, frames: dict) -> None:
    frames["front"][40:45] = [np.zeros_like(frames["front"][0])] * 5


def _frozen(columns: dict, frames: dict) -> None:
    frames["wrist"][30:60] = [frames["wrist"][30]] * 30


def _swapped(columns: dict, frames: dict) -> None:
    frames["front"], frames["wrist"] = frames["wrist"], frames["front"]


def _mirrored(columns: dict, frames: dict) -> None:
    frames["front"] = [frame[:, ::-1].copy() for frame in videos_of(0)["front"]]


RECORDED: dict[str, tuple[Callable[[dict, dict], None], tuple[str, ...]]] = {
    "dead_actions": (_dead, ()),
    "saturated_actions": (_saturated, ()),
    "action_lag": (_lag, ()),
    "duplicate_episodes": (_twice, ()),
    "black_frames": (_black, ()),
    "frozen_frames": (_frozen, ()),
    "swapped_cameras": (_swapped, ()),
    "mirrored_twin": (_mirrored, ()),
}
