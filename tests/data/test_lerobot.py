"""Episodes come back as they were written, and what `append` returned from survives everything."""

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from recordings import FOOTAGE, make_episode, read_stamp

from robossl.data.lerobot import EpisodeWriter, LeRobotV3, compact, layout, writer
from robossl.data.sources import LeRobotSource
from robossl.errors import DataError


def written(root: Path, seeds: range, **kwargs: object) -> LeRobotSource:
    with EpisodeWriter(root, fps_hz=20.0, robot_type="panda") as episodes:
        for seed in seeds:
            episodes.append(make_episode(seed, **kwargs))
    return LeRobotSource(root)


def assert_same(source: LeRobotSource, index: int, seed: int, **kwargs: object) -> None:
    episode = make_episode(seed, **kwargs)
    rows = range(len(episode) + 1)
    assert source.lengths[index] == len(rows)
    for key, expected in {
        layout.STATE: episode.proprio,
        layout.ENVIRONMENT_STATE: episode.environment_state,
        layout.VISUAL_STATE: episode.visual_state,
        layout.ACTION: np.concatenate([episode.actions, np.zeros((1, 3), dtype=np.float32)]),
        layout.REWARD: np.append(episode.rewards, 0)[:, None],
    }.items():
        assert np.array_equal(source.values(index, rows, key), expected.astype(np.float32)), key
    assert source.values(index, rows, layout.DONE)[:, 0].tolist() == [0] * (len(episode) - 1) + [1, 1]
    assert source.values(index, [len(episode) - 1], layout.SUCCESS)[0, 0] == episode.success
    for camera, expected in episode.pixels.items():
        difference = source.frames(index, rows, camera).transpose(0, 2, 3, 1).astype(int) - expected
        assert np.sqrt((difference**2).mean()) < 12, "beyond what the codec loses"
    stamps = [read_stamp(frame) for frame in source.frames(index, rows, "front")]
    assert stamps == [(100 * seed + i) % 1024 for i in rows]


def test_episodes_come_back_as_they_were_written(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, fps_hz=20.0) as episodes:
        indices = [episodes.append(make_episode(seed, num_steps=4 + seed)) for seed in range(5)]
    source = LeRobotSource(tmp_path)
    assert indices == [0, 1, 2, 3, 4]
    assert source.cameras == ("front", "wrist")
    assert source.fps_hz == 20.0
    assert source.features == {
        "observation.state": 4,
        "observation.environment_state": 6,
        "observation.visual_state": 11,
        "action": 3,
        "next.reward": 1,
        "next.done": 1,
        "next.success": 1,
        "next.truncated": 1,
    }
    for index in (3, 0, 4, 1, 2):
        assert_same(source, index, index, num_steps=4 + index)


def test_what_lerobot_has_no_place_for_comes_back_as_metadata(tmp_path: Path) -> None:
    metadata = written(tmp_path, range(3)).episode_metadata(2)
    assert metadata["seed"] == 2
    assert metadata["domain"] == "randomized"
    assert metadata["renderer"] == "tiny"
    assert metadata["task"] == "reach"
    assert metadata["variations"] == {"light": 0.5, "colour": [1.0, 0.0, 0.5], "texture": "wood"}
    assert np.allclose(metadata["goal"], make_episode(2).goal)
    assert (metadata["terminated"], metadata["truncated"], metadata["success"]) == (True, False, True)


def test_files_are_laid_out_as_lerobot_and_rerun_read_them(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, fps_hz=20.0) as episodes:
        for seed in range(3):
            episodes.append(make_episode(seed, task=("push", "reach", "push")[seed]))
    info = json.loads((tmp_path / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 21, 2)
    table = pq.read_table(tmp_path / "data/chunk-000/file-000.parquet")
    assert "observation.images.front" not in table.column_names
    assert table["index"].to_pylist() == list(range(21))
    assert np.allclose(table["timestamp"].to_numpy()[:7], np.arange(7) / 20)
    assert pq.ParquetFile(tmp_path / "data/chunk-000/file-000.parquet").num_row_groups == 3
    tasks = pd.read_parquet(tmp_path / "meta/tasks.parquet")
    assert tasks.index.tolist() == ["push", "reach"]
    assert "__index_level_0__" in pq.read_schema(tmp_path / "meta/tasks.parquet").names
    rows = pd.read_parquet(tmp_path / "meta/episodes/chunk-000/file-000.parquet")
    assert rows["videos/observation.images.front/from_timestamp"].tolist() == [0.0, 7 / 20, 14 / 20]
    stats = json.loads((tmp_path / "meta/stats.json").read_text())
    assert np.array(stats["observation.images.front"]["mean"]).shape == (3, 1, 1)
    actions = np.concatenate([np.vstack([make_episode(s).actions, np.zeros((1, 3))]) for s in range(3)])
    assert np.allclose(stats["action"]["mean"], actions.mean(axis=0), atol=1e-6)
    assert np.allclose(stats["action"]["std"], actions.std(axis=0), atol=1e-6)
    assert stats["action"]["count"] == [21]


def test_an_open_data_set_is_refused_with_what_to_do_until_it_is_finalized(tmp_path: Path) -> None:
    EpisodeWriter(tmp_path, fps_hz=20.0).append(make_episode(0))
    with pytest.raises(DataError, match=r"holds 1 recorded episodes that were not finalized: .*finalize\(\)"):
        LeRobotSource(tmp_path)
    EpisodeWriter(tmp_path, fps_hz=20.0).finalize()
    assert_same(LeRobotSource(tmp_path), 0, 0)
    assert not (tmp_path / layout.JOURNAL_PATH).exists()


def test_a_finalized_data_set_grows_and_equals_one_written_at_once(tmp_path: Path) -> None:
    written(tmp_path / "grown", range(3))
    grown = written(tmp_path / "grown", range(3, 5))
    at_once = written(tmp_path / "at_once", range(5))
    for seed in range(5):
        assert_same(grown, seed, seed)
        assert grown.episode_metadata(seed) == at_once.episode_metadata(seed)
    one, other = (json.loads((tmp_path / d / "meta/stats.json").read_text()) for d in ("grown", "at_once"))
    assert one == other


def test_shards_are_cut_before_float32_timestamps_blur(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "SHARD_DURATION_S", 16 / 20)  # two episodes of seven frames
    source = written(tmp_path, range(5))
    assert len(list((tmp_path / "data").rglob("*.parquet"))) == 3
    assert len(list((tmp_path / "videos/observation.images.wrist").rglob("*.mp4"))) == 3
    for seed in range(5):
        assert_same(source, seed, seed)
    with pytest.raises(DataError, match="longer than 1 s, where float32 timestamps blur: split it"):
        EpisodeWriter(tmp_path / "b", fps_hz=20.0).append(make_episode(0, num_steps=20))


def record(root: Path, pipe: Connection) -> None:
    episodes = EpisodeWriter(root, fps_hz=20.0)
    while True:
        pipe.send(episodes.append(make_episode(episodes.num_episodes)))


def test_episodes_reported_as_written_survive_kills_at_any_point(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")  # a fork of this process would inherit FFmpeg's locks
    context.set_forkserver_preload(["recordings", "robossl.data.lerobot"])
    reported = -1
    for episodes_before, delay_s in [(1, 0.0), (3, 0.011), (2, 0.029)]:
        ours, theirs = context.Pipe()
        process = context.Process(target=record, args=(tmp_path, theirs))
        process.start()
        for _ in range(episodes_before):
            assert ours.poll(60), "the recorder stopped"
            reported = ours.recv()
        time.sleep(delay_s)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        while ours.poll():  # reported between the last look and the kill
            reported = ours.recv()
    episodes = EpisodeWriter(tmp_path, fps_hz=20.0)
    assert episodes.num_episodes >= reported + 1 >= 6
    assert not list((tmp_path / layout.JOURNAL_PATH).glob(".unfinished-*"))
    source = LeRobotSource(episodes.finalize())
    assert len(source.lengths) == episodes.num_episodes
    for seed in range(len(source.lengths)):
        assert_same(source, seed, seed)


def test_a_kill_while_finalizing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = written(tmp_path / "undisturbed", range(4))
    replace, root = os.replace, tmp_path / "killed"
    written(root, range(2))
    episodes = EpisodeWriter(root, fps_hz=20.0)
    episodes.append(make_episode(2))
    episodes.append(make_episode(3))
    survived = 0
    for allowed in range(50):
        calls = iter(range(allowed))

        def dying(source: object, target: object, calls: object = calls) -> None:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            replace(source, target)

        monkeypatch.setattr(os, "replace", dying)
        try:
            EpisodeWriter(root, fps_hz=20.0).finalize()
            break
        except KeyboardInterrupt:
            survived += 1
    monkeypatch.undo()
    assert survived >= 8
    source = LeRobotSource(root)
    for seed in range(4):
        assert_same(source, seed, seed)
        assert source.episode_metadata(seed) == expected.episode_metadata(seed)
    stats = [json.loads((path / "meta/stats.json").read_text()) for path in (root, expected.root)]
    assert stats[0] == stats[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"proprio": np.zeros((7, 4))}, r"episode.proprio is float64, expected float32"),
        (
            {"proprio": np.zeros((6, 4), np.float32)},
            r"episode.proprio has the shape \(6, 4\), expected 2 axes and 7 rows",
        ),
        ({"proprio": np.zeros((7, 5), np.float32)}, r"'observation.state' has the shape \[5\], expected \[4\]"),
        ({"actions": np.full((6, 3), np.nan, np.float32)}, r"'action' has values that are not finite in row 0"),
        ({"rewards": np.zeros((6, 1), np.float32)}, r"episode.rewards has the shape \(6, 1\)"),
        ({"pixels": {"front": make_episode(0).pixels["front"]}}, r"'observation.images.wrist' is missing"),
        ({"pixels": make_episode(0, cameras=("front", "wrist", "top")).pixels}, r"'observation.images.top' is not in"),
        ({"pixels": make_episode(0, size=48).pixels}, r"'observation.images.front' has the shape \[48, 48, 3\]"),
        ({"pixels": {"front": np.zeros((6, 32, 32, 3), np.uint8)}}, r"episode.pixels\['front'\] has the shape"),
        ({"fps_hz": 30.0}, r"episode.fps_hz is 30.0, this data set has 20"),
    ],
)
def test_other_shapes_types_and_keys_are_refused_by_name(tmp_path: Path, change: dict, message: str) -> None:
    episodes = EpisodeWriter(tmp_path, fps_hz=20.0)
    episodes.append(make_episode(0))
    with pytest.raises(DataError, match=message):
        episodes.append(dataclasses.replace(make_episode(1), **change))
    assert episodes.append(make_episode(1)) == 1
    assert len(list((tmp_path / layout.JOURNAL_PATH).glob("*episode-*"))) == 2


def test_wrong_pixels_are_refused_and_leave_nothing_behind(tmp_path: Path) -> None:
    episodes = EpisodeWriter(tmp_path, fps_hz=20.0)
    pixels = {camera: frames.astype(np.float32) for camera, frames in make_episode(0).pixels.items()}
    with pytest.raises(DataError, match=r"camera 'front', frame 0 is float32 \(32, 32, 3\), expected uint8"):
        episodes.append(dataclasses.replace(make_episode(0), pixels=pixels))
    assert EpisodeWriter(tmp_path, fps_hz=20.0).num_episodes == 0
    with pytest.raises(DataError, match="has no episodes to finalize"):
        episodes.finalize()


def test_a_first_episode_that_fails_does_not_fix_the_shapes(tmp_path: Path) -> None:
    episodes = EpisodeWriter(tmp_path, fps_hz=20.0)
    with pytest.raises(DataError, match="make width and height even"):
        episodes.append(make_episode(0, size=33))
    assert episodes.append(make_episode(0)) == 0


def test_a_writer_refuses_other_rates_and_foreign_directories(tmp_path: Path) -> None:
    written(tmp_path / "set", range(1))
    with pytest.raises(DataError, match="has 20 frames a second, this writer 30"):
        EpisodeWriter(tmp_path / "set", fps_hz=30.0)
    with pytest.raises(DataError, match=r"fps_hz=29.97 can't be stored"):
        EpisodeWriter(tmp_path / "set", fps_hz=29.97)
    (tmp_path / "other/data").mkdir(parents=True)
    with pytest.raises(DataError, match="holds data but is no data set"):
        EpisodeWriter(tmp_path / "other", fps_hz=20.0)


def test_reading_names_what_is_missing(tmp_path: Path) -> None:
    source = written(tmp_path, range(2))
    with pytest.raises(DataError, match=r"has no 'actoin'; .*did you mean 'action'"):
        source.values(0, [0], "actoin")
    with pytest.raises(DataError, match=r"has no camera 'top'; it has front, wrist"):
        source.frames(0, [0], "top")
    with pytest.raises(DataError, match="index 7 is outside of episode 0"):
        source.frames(0, [7], "front")
    with pytest.raises(DataError, match="is not a LeRobotDataset"):
        LeRobotSource(tmp_path / "videos")
    (tmp_path / "meta/info.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        LeRobotV3(tmp_path)


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    one, other = written(tmp_path / "a", range(2)), written(tmp_path / "c", range(1, 3))
    same = LeRobotSource(shutil.copytree(tmp_path / "a", tmp_path / "b"))  # written again, x264's bytes may differ
    assert one.digest == same.digest != other.digest
    assert one.digest.startswith("sha256:")


def test_modules_of_the_writer_share_one_table_of_names() -> None:
    assert writer.layout is layout
    assert compact.layout is layout


@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="the recorded footage is not here")
def test_a_v21_recording_with_b_frames_is_read() -> None:
    source = LeRobotSource(FOOTAGE / "robot/g1_bottle")
    assert len(source.lengths) == 30
    assert source.lengths.sum() == 10402
    assert source.cameras == ("cam_high",)
    assert source.features == {"observation.state": 26, "action": 26}
    length = int(source.lengths[3])
    assert source.frames(3, [length - 1, 0], "cam_high").shape == (2, 3, 240, 320)
    assert source.values(3, range(length), "action").shape == (344, 26)
    assert source.episode_metadata(3)["task"] == "Pick up the yellow bottle on the table."
