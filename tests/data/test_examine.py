"""The doctor finds every fault that is put into a clean data set, and nothing in clean ones."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recordings import FOOTAGE, make_episode, set_display_matrix, write_stamped

from robossl.data.doctor import FAULTS, NOTES, Examination, examine
from robossl.data.doctor import video as doctor_video
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource
from robossl.data.video import encode_video
from robossl.data.video.check import check_every_frame
from robossl.errors import DataError

LENGTH, NUM = 100, 3
START = "videos/observation.images.front/from_timestamp"
ROWS, META = "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet"


def picture(episode: int, row: int, camera: str) -> np.ndarray:
    """A scene of its own for each camera and episode, with a block that moves."""
    rng = np.random.default_rng([episode, len(camera)])
    image = np.zeros((48, 64, 3), dtype=np.uint8)
    image[...] = (150, 60, 40) if camera == "front" else (40, 60, 150)
    image[:, 32:] = image[:, 32:] + np.uint8(60)
    place = rng.integers(0, 30)
    image[place : place + 12, 5:25] = rng.integers(100, 255, size=3)
    image[36:44, row // 2 : row // 2 + 10] = 250
    return image


def rows_of(episode: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(episode)
    phase = rng.uniform(0, 6, size=3)
    times = np.arange(LENGTH + 3)[:, None]
    path = 0.8 * np.sin(times / 9 + phase).astype(np.float32)
    return {"observation.state": path[:-3], "action": path[3:]}  # the state follows three frames later


def videos_of(episode: int) -> dict[str, list[np.ndarray]]:
    return {camera: [picture(episode, row, camera) for row in range(LENGTH)] for camera in ("front", "wrist")}


def write(root: Path, change: Callable[[int, dict, dict], None] = lambda *_: None, *, task: str = "reach") -> Path:
    with EpisodeWriter(root, fps_hz=20) as episodes:
        for episode in range(NUM):
            columns, frames = rows_of(episode), videos_of(episode)
            change(episode, columns, frames)
            sizes = dict.fromkeys(frames, (48, 64))
            extras = {"seed": episode, "env_id": "x"}
            episodes.append_rows(frames=frames, sizes=sizes, columns=columns, task=task, extras=extras)
    return root


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with nothing wrong; a test may not change it."""
    return write(tmp_path_factory.mktemp("clean") / "set")


def kinds(found: Examination) -> set[str]:
    return {finding.kind for finding in found.faults}


# --- faults that are put into the files of a clean set ----------------------------------------------------------------


def edit_info(root: Path, **values: object) -> None:
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | values))


def edit_column(root: Path, name: str, change: Callable[[np.ndarray], None], file: str = ROWS) -> None:
    table = pq.read_table(root / file)
    place = table.schema.get_field_index(name)
    kind = table.schema.field(name).type
    values = np.array(table[name].to_pylist())
    change(values)
    column = pa.array(list(values), type=kind)
    pq.write_table(table.set_column(place, table.schema.field(name), column), root / file)


def cut(path: Path, part: float = 0.7) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])


def video(root: Path, camera: str = "front") -> Path:
    return root / f"videos/observation.images.{camera}/chunk-000/file-000.mp4"


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
ALSO = {"wrong_length", "stale_stats"}
"""Seen beside some faults: rows that are gone are no longer in the statistics."""


@pytest.mark.parametrize("name", IN_FILES)
def test_a_fault_in_the_files_is_found(name: str, clean: Path, tmp_path: Path) -> None:
    kind, corrupt = IN_FILES[name]
    root = Path(shutil.copytree(clean, tmp_path / "set"))
    corrupt(root)
    found = examine(root)
    assert kind in kinds(found), [str(finding) for finding in found.findings]
    assert kinds(found) - {kind} <= ALSO | ({"unreadable_video"} if kind == "video_too_short" else set())
    for finding in found.findings:
        line = str(finding)
        assert "\n" not in line
        assert line.endswith(finding.fix)


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


@pytest.mark.parametrize("kind", RECORDED)
def test_a_fault_of_the_recording_is_found_and_names_the_episode(kind: str, tmp_path: Path) -> None:
    corrupt, also = RECORDED[kind]
    root = write(tmp_path / "set", lambda episode, columns, frames: corrupt(columns, frames) if episode == 2 else None)
    found = examine(root)
    assert kinds(found) == {kind, *also}, [str(finding) for finding in found.faults]
    assert {finding.episode for finding in found.faults} == {2}


def test_values_that_are_no_numbers_are_found(clean: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(clean, tmp_path / "set"))
    edit_column(root, "action", put(207, np.nan))
    (fault,) = (finding for finding in examine(root).faults if finding.kind == "not_finite")
    assert str(fault).startswith("episode 2: action is not finite in 1 rows, first in 7 [not_finite]")


def test_splits_that_share_a_layout_are_found(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / "set", fps_hz=20.0) as episodes:
        for seed in (0, 1, 0):
            episodes.append(make_episode(seed))
    edit_info(tmp_path / "set", splits={"train": "0:2", "test": "2:3"})
    assert {"split_shares_layout", "duplicate_episodes"} <= kinds(examine(tmp_path / "set"))


def test_episodes_of_one_frame_and_without_a_task_are_named(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / "set", fps_hz=20) as episodes:
        frames = {"front": [picture(0, 0, "front")]}
        columns = {"action": np.zeros((1, 2), dtype=np.float32)}
        episodes.append_rows(frames=frames, sizes={"front": (48, 64)}, columns=columns, task="", extras={})
    found = examine(tmp_path / "set")
    assert kinds(found) == {"too_short"}
    assert "no_task" in {finding.kind for finding in found.findings}


# --- plain videos -----------------------------------------------------------------------------------------------------


def doubled_times(path: Path, whole: Path) -> None:
    """Copy a file so that two frames each have the same time."""
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            packet.pts = packet.dts = number // 2 * packet.duration
            packet.stream = stream
            target.mux(packet)


def test_a_count_that_the_file_does_not_keep_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stamped(tmp_path / "a.mp4", 10)
    known = check_every_frame(tmp_path / "a.mp4")
    # a packet that gives no frame, as in recordings by old cameras
    monkeypatch.setattr(doctor_video, "check_every_frame", lambda path: replace(known, num_promised=11))
    (fault,) = examine(tmp_path).faults
    assert str(fault).startswith("a.mp4: 10 frames, but it says 11 [wrong_declared_count]")


def test_faults_of_plain_videos_are_found(tmp_path: Path) -> None:
    write_stamped(tmp_path / "good.mp4", 40)
    write_stamped(tmp_path / "vfr.mp4", 40, steps=(1, 3))
    write_stamped(tmp_path / "late.mkv", 42, start=50)
    (tmp_path / "text.mp4").write_bytes(b"no video")
    shutil.copy(tmp_path / "good.mp4", tmp_path / "same.mp4")
    cut(write_stamped(tmp_path / "cut.mp4", 60, muxer={"movflags": "+faststart"}))
    set_display_matrix(write_stamped(tmp_path / "turned.mp4", 41), (0, 1, -1, 0))
    encode_video(tmp_path / "black.mp4", [np.zeros((48, 96, 3), dtype=np.uint8)] * 20, fps_hz=20)
    found = examine(tmp_path)
    assert {(finding.where, finding.kind) for finding in found.faults} == {
        ("vfr.mp4", "variable_frame_rate"),
        ("text.mp4", "unreadable_video"),
        ("cut.mp4", "damaged_video"),
        ("same.mp4", "duplicate_episodes"),
        ("black.mp4", "black_frames"),
    }
    remarks = {(finding.where, finding.kind) for finding in found.findings if not finding.is_fault}
    assert {("late.mkv", "start_offset"), ("turned.mp4", "turned"), ("black.mp4", "still_stretch")} <= remarks
    assert examine(tmp_path / "good.mp4").findings == []
    doubled_times(tmp_path / "doubled.mkv", tmp_path / "good.mp4")
    assert kinds(examine(tmp_path / "doubled.mkv")) == {"no_frame_times"}
    with pytest.raises(DataError, match="does not exist"):
        examine(tmp_path / "none")


# --- clean data -------------------------------------------------------------------------------------------------------


def test_nothing_is_found_in_clean_sets(clean: Path, tmp_path: Path) -> None:
    found = examine(clean)
    assert found.findings == []
    assert (found.figures["episodes"], found.figures["frames"]) == (NUM, 2 * NUM * LENGTH)
    assert 0 < found.figures["state_coverage"] < 1
    assert found.figures["action_variance"] == pytest.approx(0.32, abs=0.1)
    assert found.figures["repeated_episodes"] == 0
    with EpisodeWriter(tmp_path / "sim", fps_hz=20.0) as episodes:
        for seed in range(3):
            episodes.append(make_episode(seed))
    assert kinds(examine(tmp_path / "sim")) == set()


def test_every_kind_has_a_way_out_and_is_put_in_by_a_test() -> None:
    elsewhere = {"not_finite", "too_short", "split_shares_layout", "no_frame_times", "wrong_declared_count"}
    assert {kind for kind, _ in IN_FILES.values()} | set(RECORDED) | elsewhere == set(FAULTS)
    assert len(FAULTS) >= 25
    assert not set(FAULTS) & set(NOTES)
    assert all(fix and not fix.endswith(".") for fix in (FAULTS | NOTES).values())


@pytest.mark.parametrize("key", ["data_path", "video_path"])
def test_paths_out_of_a_data_set_are_refused_by_its_reader(key: str, clean: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(clean, tmp_path / "set"))
    edit_info(root, **{key: "../clean/{file_index:03d}"})
    source = LeRobotSource(root)
    with pytest.raises(DataError, match="lies outside of it: it is refused"):
        source.values(0, [0], "action") if key == "data_path" else source.frames(0, [0], "front")


@pytest.mark.slow
@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="the recorded footage is not here")
def test_nothing_is_wrong_with_the_recorded_robot() -> None:
    assert examine(FOOTAGE / "robot/g1_bottle").findings == []
