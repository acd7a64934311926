"""Hard cuts are found, nothing else is taken for one, and no clip reaches over one."""

from pathlib import Path

import numpy as np
import pytest
from footage_of import moving, scene, write

from robossl.config.import_footage import ImportConfig
from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.data.clip_dataset import ClipDataset
from robossl.data.clip_sampling import sequence_window
from robossl.data.doctor import examine
from robossl.data.frame_cache import CachedSource
from robossl.data.lerobot import EpisodeWriter
from robossl.data.shots import cuts_in
from robossl.data.sources import LeRobotSource, VideoFolder, open_source
from robossl.data.splits import split_episodes
from robossl.data.video import changes
from robossl.data.video.changes import changes_of
from robossl.errors import VideoReadError
from robossl.stages.import_footage import import_footage
from robossl.stages.pretrain_sources import open_sources


@pytest.fixture
def three_shots(tmp_path: Path) -> Path:
    """A file of shots of 21, 13 and 30 frames."""
    frames = scene(1, moving(21)) + scene(2, moving(13)) + scene(3, moving(30))
    (tmp_path / "in").mkdir()
    return write(tmp_path / "in/cut.mp4", frames)


def cuts(path: Path) -> list[int]:
    return cuts_in(changes_of(path)).tolist()


def test_cuts_are_found_to_the_frame_also_where_the_scene_stays(three_shots: Path, tmp_path: Path) -> None:
    assert cuts(three_shots) == [21, 34]
    jump = scene(1, moving(20), block=24) + scene(1, moving(20, first=70), block=24)
    assert cuts(write(tmp_path / "jump.mp4", jump)) == [20]


def test_fast_motion_flashes_light_noise_and_glitches_are_no_cuts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    fast = scene(1, moving(40, px=17), block=24)
    panned = [np.roll(frame, 4 * k, axis=1) for k, frame in enumerate(scene(2, moving(40)))]
    flash = scene(1, moving(40))
    flash[20] = flash[20] // 4 + 190
    flash[30:32] = [np.full_like(flash[0], 255)] * 2
    light = scene(1, moving(40))
    light[20:] = [(frame * 0.6).astype(np.uint8) for frame in light[20:]]
    noisy = [np.clip(f + rng.normal(0, 15, f.shape), 0, 255).astype(np.uint8) for f in scene(3, moving(40))]
    late = scene(1, moving(40))
    late[38:] = scene(2, moving(2))  # two frames may as well be a glitch
    for name, frames in {
        "fast": fast,
        "pan": panned,
        "flash": flash,
        "light": light,
        "noise": noisy,
        "l": late,
    }.items():
        assert cuts(write(tmp_path / f"{name}.mp4", frames)) == [], name


def test_each_shot_is_an_episode_and_shots_of_a_file_stay_together(three_shots: Path, tmp_path: Path) -> None:
    write(tmp_path / "in/whole.mp4", scene(4, moving(25)))
    whole, split = VideoFolder(tmp_path / "in"), VideoFolder(tmp_path / "in", shots="split")
    assert whole.lengths.tolist() == [64, 25]
    assert split.lengths.tolist() == [21, 13, 30, 25]
    assert split.digest == whole.digest, "the same frames in the same order: a cache of one serves the other"
    assert np.array_equal(split.frames(1, [0, 12]), whole.frames(0, [21, 33]))
    assert np.array_equal(
        split.scaled_frames(2, [1], "video", (24, 32)), whole.scaled_frames(0, [35], "video", (24, 32))
    )
    assert split.times_s(1) == pytest.approx(np.arange(13) / 20)
    assert [split.episode_key(e) for e in range(4)] == ["cut.mp4"] * 3 + ["whole.mp4"]
    assert split.episode_metadata(2)["first_frame"] == 34
    with pytest.raises(VideoReadError, match="the episode has frames 0 to 12"):
        split.frames(1, [13])
    sides = split_episodes(split, test_fraction=0.5)
    assert sorted(map(len, (sides.train, sides.test))) == [1, 3]


def test_no_clip_reaches_over_a_cut(three_shots: Path, tmp_path: Path) -> None:
    def sources(**settings: object) -> CachedSource:
        spec = SourceConfig(path=tmp_path / "in", **settings)
        (found,) = open_sources(PretrainConfig(sources=(spec,), image_size=(24, 32), cache_dir=tmp_path / "cache"))
        assert isinstance(found.source, CachedSource)
        return found.source

    cached, kept = sources(), sources(shots="keep")
    assert (cached.lengths.tolist(), kept.lengths.tolist()) == ([21, 13, 30], [64])
    assert cached.path == kept.path
    dataset = ClipDataset(cached, sequence_window(num_context=2, horizons=(5,)), seed=0, views=("video",))
    whole = kept.frames(0, range(64), "video").astype(int)
    shot_of = np.repeat([0, 1, 2], [21, 13, 30])
    for position in range(60):
        clip = dataset.clip(position % len(dataset), position=position)
        assert clip.valid.all()
        shown = [int(np.abs(whole - frame).mean(axis=(1, 2, 3)).argmin()) for frame in clip.pixels[0].astype(int)]
        assert set(shot_of[shown]) == {clip.episode_id}


def test_a_file_without_cuts_is_as_it_was_and_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.mp4", scene(1, moving(30)))
    split = open_source(tmp_path, shots="split")
    assert split.lengths.tolist() == [30]
    assert split.episode_metadata(0) == open_source(tmp_path).episode_metadata(0)
    changes._changes.cache_clear()  # as in another process
    monkeypatch.setattr(changes, "_measured", lambda path: pytest.fail("decoded again"))
    assert open_source(tmp_path, shots="split").lengths.tolist() == [30]


def test_an_import_makes_an_episode_of_each_shot_and_goes_on(three_shots: Path, tmp_path: Path) -> None:
    config = ImportConfig(path=three_shots, output=tmp_path / "out", max_episode_s=1.0)
    assert import_footage(config)["episodes"] == 5
    result = import_footage(config)
    assert (result["episodes"], result["already_there"]) == (5, 5)
    source = LeRobotSource(tmp_path / "out")
    assert source.lengths.tolist() == [20, 1, 13, 20, 10]
    assert {source.episode_key(episode) for episode in range(5)} == {"cut.mp4"}
    kept = import_footage(ImportConfig(path=three_shots, output=tmp_path / "kept", shots="keep"))
    assert kept["episodes"] == 1


def test_the_doctor_says_where_cuts_and_static_stretches_are(three_shots: Path, tmp_path: Path) -> None:
    write(tmp_path / "in/waits.mp4", scene(1, [*moving(30), *[8] * 40, *moving(20, first=42)]))
    write(tmp_path / "in/asleep.mp4", scene(5, [8] * 110))
    write(tmp_path / "in/good.mp4", scene(6, moving(60)))
    lines = {(finding.where, finding.kind): str(finding) for finding in examine(tmp_path / "in").findings}
    assert set(lines) == {
        ("cut.mp4", "shot_cuts"),
        ("waits.mp4", "static_stretches"),
        ("asleep.mp4", "mostly_static"),
    }
    assert lines["cut.mp4", "shot_cuts"].startswith("cut.mp4: 2 shot cuts at 1.1 s, 1.7 s [shot_cuts] → ")
    assert "waits.mp4: static from 1.5 s to 3.5 s (47%)" in lines["waits.mp4", "static_stretches"]
    assert "static from 0.0 s to 5.5 s (100%)" in lines["asleep.mp4", "mostly_static"]


def test_the_doctor_looks_at_each_episode_of_a_shard_alone(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / "set", fps_hz=20) as episodes:
        for frames in (scene(1, moving(40)), scene(2, moving(40)), scene(3, moving(20)) + scene(4, moving(20))):
            columns = {"observation.state": np.cumsum(np.ones((40, 1), dtype=np.float32), axis=0)}
            episodes.append_rows(
                frames={"front": frames}, sizes={"front": (48, 64)}, columns=columns, task="push", extras={}
            )
    source = LeRobotSource(tmp_path / "set")
    assert len({source.video(episode, "front")[0] for episode in range(3)}) == 1
    found = [finding for finding in examine(tmp_path / "set").findings if finding.kind == "shot_cuts"]
    assert [(finding.episode, finding.frame) for finding in found] == [(2, 20)]
    assert "1 shot cut at 1.0 s" in str(found[0])
