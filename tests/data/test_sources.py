"""Folders, data sets and mixtures look the same from above; caches and splits follow the content."""

import json
import os
import pickle
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from memory_source import MemorySource
from recordings import FOOTAGE, make_episode, read_stamp, write_stamped

from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.data import frame_cache
from robossl.data.frame_cache import CachedSource
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource, VideoFolder, discover_sources, open_source
from robossl.data.splits import FEW_KEYS, refuse_heldout, split_episodes, split_of
from robossl.data.video import readers
from robossl.errors import ConfigError, DataError, VideoReadError
from robossl.resize import resize
from robossl.stages.pretrain_sources import open_sources


def data_set(root: Path, seeds: range = range(3)) -> LeRobotSource:
    with EpisodeWriter(root, fps_hz=20.0) as episodes:
        for seed in seeds:
            episodes.append(make_episode(seed))
    return LeRobotSource(root)


def v21_directory(root: Path, lengths: tuple[int, ...] = (5, 8)) -> Path:
    features: dict[str, dict] = {
        "observation.images.head": {"dtype": "video", "shape": [48, 96, 3], "names": None},
        "action": {"dtype": "float32", "shape": [2], "names": [["x", "y"]]},
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
    }
    info = {
        "codebase_version": "v2.1",
        "fps": 30,
        "features": features,
        "total_episodes": len(lengths),
        "chunks_size": 1000,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    }
    for folder in ("meta", "data/chunk-000", "videos/chunk-000/observation.images.head"):
        (root / folder).mkdir(parents=True)
    (root / "meta/info.json").write_text(json.dumps(info))
    lines = [{"episode_index": i, "tasks": ["wave"], "length": length} for i, length in enumerate(lengths)]
    (root / "meta/episodes.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    for number, length in enumerate(lengths):
        rows = {"action": [[float(i), number] for i in range(length)], "timestamp": np.arange(length) / 30}
        pd.DataFrame(rows).to_parquet(root / f"data/chunk-000/episode_{number:06d}.parquet")
        video = root / f"videos/chunk-000/observation.images.head/episode_{number:06d}.mp4"
        write_stamped(video, length, gop=60, b_frames=2)
    return root


def test_a_folder_is_read_recursively_and_bad_files_are_named_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    write_stamped(tmp_path / "b.mp4", 5)
    write_stamped(tmp_path / "deep/er/a.mov", 9, size=(64, 64))
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("not looked at")
    source = VideoFolder(tmp_path)
    assert source.lengths.tolist() == [5, 9]
    assert [source.episode_key(i) for i in (0, 1)] == ["b.mp4", "deep/er/a.mov"]
    assert list(source.skipped) == [tmp_path / "bad.mp4"]
    assert "skipped: can't read video" in caplog.text
    assert read_stamp(source.frames(0, [4], "video")[0]) == 4
    assert source.features == {}
    with pytest.raises(DataError, match="plain video, without numbers"):
        source.values(0, [0], "action")
    with pytest.raises(DataError, match="no camera 'front'"):
        source.frames(0, [0], "front")


def test_a_path_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist: give a data set directory"):
        open_source(tmp_path / "none")
    with pytest.raises(DataError, match="holds no video files"):
        open_source(tmp_path)
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"no video that can be read \(1 skipped; can't read video .*bad.mp4"):
        open_source(tmp_path)


def test_v21_directories_are_read_by_row_and_frame(tmp_path: Path) -> None:
    source = open_source(v21_directory(tmp_path))
    assert isinstance(source, LeRobotSource)
    assert source.lengths.tolist() == [5, 8]
    assert source.cameras == ("head",)
    assert source.features == {"action": 2}
    assert source.values(1, [7, 0], "action").tolist() == [[7.0, 1.0], [0.0, 1.0]]
    assert [read_stamp(frame) for frame in source.frames(1, [7, 0, 3], "head")] == [7, 0, 3]
    assert source.episode_metadata(0)["task"] == "wave"


def test_other_versions_and_gaps_are_named(tmp_path: Path) -> None:
    root = v21_directory(tmp_path)
    (root / "data/chunk-000/episode_000001.parquet").unlink()
    with pytest.raises(DataError, match=r"can't read 'action' from .*episode_000001.parquet"):
        open_source(root).values(1, [0], "action")
    (root / "videos/chunk-000/observation.images.head/episode_000000.mp4").unlink()
    with pytest.raises(VideoReadError, match="no such file"):
        open_source(root).frames(0, [0], "head")
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | {"codebase_version": "v4.0"}))
    with pytest.raises(DataError, match=r"is LeRobotDataset v4.0, read are v2.x and v3.x"):
        open_source(root)


def test_everything_below_a_folder_is_found_once(tmp_path: Path) -> None:
    v21_directory(tmp_path / "robot/arm")
    data_set(tmp_path / "sim")
    write_stamped(tmp_path / "clip.mp4", 5)
    sources = discover_sources(tmp_path)
    assert list(sources) == ["robot/arm", "sim", "videos"]
    assert [len(source.lengths) for source in sources.values()] == [2, 3, 1]
    assert list(discover_sources(tmp_path / "sim")) == ["sim"]


def test_few_files_stay_open_and_sources_travel_to_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "MAX_OPEN_PIXELS", 8 * 96 * 48)
    for number in range(10):
        write_stamped(tmp_path / f"{number}.mp4", 3 + number)
    source = VideoFolder(tmp_path)
    for episode in range(10):
        assert read_stamp(source.frames(episode, [2 + episode])[0]) == 2 + episode
    assert len(source._readers._open) == 8
    copy = pickle.loads(pickle.dumps(source))
    assert read_stamp(copy.frames(0, [1])[0]) == 1


def test_cached_frames_equal_resized_ones(tmp_path: Path) -> None:
    source = data_set(tmp_path / "set")
    cached = CachedSource(source, (24, 16), cache_dir=tmp_path / "cache")
    for episode in (2, 0):
        indices = [6, 0, 3, 3]
        direct = resize(torch.from_numpy(source.frames(episode, indices, "wrist")), (24, 16)).numpy()
        assert np.array_equal(cached.frames(episode, indices, "wrist"), direct)
        assert np.array_equal(cached.values(episode, indices, "action"), source.values(episode, indices, "action"))
    assert cached.lengths.tolist() == source.lengths.tolist()
    assert cached.episode_metadata(1) == source.episode_metadata(1)
    with pytest.raises(DataError, match="reach outside of episode 0"):
        cached.frames(0, [7], "front")
    with pytest.raises(DataError, match="no camera 'top'"):
        cached.frames(0, [0], "top")


def test_a_cache_is_built_once_and_its_key_follows_content_size_and_aspect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, other = data_set(tmp_path / "set"), data_set(tmp_path / "other", range(1, 4))
    first = CachedSource(source, 16, cache_dir=tmp_path / "cache")
    paths = {
        CachedSource(source, 8, cache_dir=tmp_path / "cache").path,
        CachedSource(source, 16, cache_dir=tmp_path / "cache", aspect="pad").path,
        CachedSource(other, 16, cache_dir=tmp_path / "cache").path,
        first.path,
    }
    assert len(paths) == 4
    monkeypatch.setattr(frame_cache.CachedSource, "_write", lambda *args: pytest.fail("built again"))
    monkeypatch.setattr(LeRobotSource, "frames", lambda *args: pytest.fail("decoded again"))
    again = pickle.loads(pickle.dumps(CachedSource(LeRobotSource(tmp_path / "set"), 16, cache_dir=tmp_path / "cache")))
    assert np.array_equal(again.frames(1, [2], "front"), first.frames(1, [2], "front"))


def test_who_wants_a_cache_that_is_being_built_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, write, builds = data_set(tmp_path / "set"), CachedSource._write, []
    # locks belong to what opened the file, so a thread stands for another process
    other = threading.Thread(target=lambda: CachedSource(source, 16, cache_dir=tmp_path / "cache"))

    def slowly(self: CachedSource, folder: Path) -> None:
        builds.append(folder)
        other.start()
        time.sleep(0.2)
        write(self, folder)

    monkeypatch.setattr(CachedSource, "_write", slowly)
    left = tmp_path / "cache" / f".{source.digest.removeprefix('sha256:')[:32]}-16x16-stretch-v1-killed"
    left.mkdir(parents=True)
    cached = CachedSource(source, 16, cache_dir=tmp_path / "cache")
    other.join()
    assert len(builds) == 1
    assert cached.frames(0, [0], "front").shape == (1, 3, 16, 16)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.name.startswith(".")]


def test_the_cache_used_longest_ago_goes_first_and_none_that_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))
    source = data_set(tmp_path / "set")
    size = 21 * 2 * 3 * 16 * 16  # bytes of three episodes, two cameras
    monkeypatch.setenv("ROBOSSL_CACHE_GB", str(3.5 * size / 1e9))
    old, kept, used = (CachedSource(source, 16, aspect=aspect) for aspect in ("crop", "pad", "stretch"))
    paths = {one.aspect: one.path for one in (old, kept, used)}
    for second, one in enumerate((kept, old, used)):
        os.utime(one.path / "cache.json", (second, second))
    kept.frames(0, [0], "front")  # the oldest, but in use
    del old, used
    CachedSource(source, (16, 8))
    assert {name for name, path in paths.items() if path.is_dir()} == {"pad", "stretch"}
    with pytest.raises(DataError, match=r"ROBOSSL_CACHE_GB allows .*: raise it, choose a smaller image_size"):
        CachedSource(source, 64)
    monkeypatch.setenv("ROBOSSL_CACHE_GB", "much")
    with pytest.raises(ConfigError, match="ROBOSSL_CACHE_GB='much' must be a number above 0, in GB"):
        CachedSource(source, 24)


def test_a_cache_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = data_set(tmp_path / "set")
    for video in (tmp_path / "set/videos").rglob("*.mp4"):
        assert source.digest
        video.write_bytes(b"broken")
    with pytest.raises(VideoReadError, match=r"file-000.mp4: it can't be opened"):
        CachedSource(source, 16, cache_dir=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "set/meta/info.json"))
    with pytest.raises(DataError, match=r"can't write the frame cache .*give another cache_dir"):
        CachedSource(source, 16)


def test_a_split_stays_when_episodes_are_added_and_keeps_one_layout_together(tmp_path: Path) -> None:
    keys = [f"robossl/PandaPush-v0:{seed}" for seed in range(2000)]
    share = np.mean([split_of(key) == "test" for key in keys])
    assert abs(share - 0.2) < 0.03
    assert all(split_of(key, test_fraction=0.5) == "test" for key in keys if split_of(key) == "test")
    source = data_set(tmp_path / "a", range(2))
    split = split_episodes(source)
    assert sorted([*split.train, *split.test]) == [0, 1]
    assert len(split.train) == len(split.test) == 1
    both = data_set(tmp_path / "b", range(4))
    assert [both.episode_key(i) for i in range(2)] == [source.episode_key(i) for i in range(2)]
    with pytest.raises(DataError, match="can't be split for testing"):
        split_episodes(data_set(tmp_path / "c", range(1)))
    with pytest.raises(DataError, match=r"test_fraction=1.0 must lie between 0 and 1"):
        split_episodes(both, test_fraction=1.0)


@pytest.mark.parametrize("num", [30, FEW_KEYS + 50])
def test_few_episodes_are_split_by_their_number_and_many_each_for_itself(num: int) -> None:
    source = MemorySource(lengths=(1,) * num)
    keys = [source.episode_key(episode) for episode in range(num)]
    chosen = [episode for episode, key in enumerate(keys) if split_of(key, test_fraction=0.25) == "test"]
    split = split_episodes(source, test_fraction=0.25)
    assert sorted([*split.train, *split.test]) == list(range(num))
    if num < FEW_KEYS:
        assert len(chosen) == 3, "what the hash alone would leave"
        assert len(split.test) == 8
        assert set(chosen) <= set(split.test.tolist())
        assert set(split.test.tolist()) <= set(split_episodes(source, test_fraction=0.4).test.tolist())
    else:
        assert split.test.tolist() == chosen


def test_training_refuses_episodes_of_a_heldout_domain(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / "a", fps_hz=20.0) as episodes:
        episodes.append(make_episode(0))
        episodes.append(replace(make_episode(1), domain="heldout"))
    refuse_heldout(data_set(tmp_path / "b"), name="b")
    with pytest.raises(DataError, match=r"a was recorded in the domain 'heldout'.*train on data of another domain"):
        refuse_heldout(LeRobotSource(tmp_path / "a"), name="a")
    with pytest.raises(DataError, match="heldout"):
        open_sources(PretrainConfig(sources=(SourceConfig(path=tmp_path / "a"),), cache_dir=tmp_path / "cache"))


@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="the recorded footage is not here")
def test_the_recorded_robots_are_found(tmp_path: Path) -> None:
    sources = discover_sources(FOOTAGE / "robot")
    assert list(sources) == ["g1_bottle", "videos"]
    assert len(sources["videos"].lengths) == 51 + 5 + 1
    assert sources["videos"].skipped == {}
