"""`robossl import` takes what can be read, names what cannot, and goes on where it was stopped."""

from pathlib import Path

import numpy as np
import pytest
from recordings import make_episode, read_stamp, write_stamped

from robossl.config.import_footage import ImportConfig
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource, VideoFolder
from robossl.errors import ConfigError, DataError
from robossl.stages.import_footage import import_footage


def test_videos_become_episodes_and_bad_files_are_named_and_counted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_stamped(tmp_path / "in/a.mp4", 7, b_frames=2)
    write_stamped(tmp_path / "in/b.gif", 5, codec="gif", fps_hz=10)
    (tmp_path / "in/bad.mp4").write_bytes(b"nothing")
    result = import_footage(ImportConfig(path=tmp_path / "in", output=tmp_path / "out", fps_hz=30, task="wave"))
    assert result["episodes"] == 2
    assert list(result["skipped"]) == [str(tmp_path / "in/bad.mp4")]
    assert result["summary"] == "2 episodes imported, 1 that can't be read skipped"
    source = LeRobotSource(tmp_path / "out")
    assert source.lengths.tolist() == [7, 15]
    assert [read_stamp(frame) for frame in source.frames(0, range(7), "video")] == list(range(7))
    slow = [read_stamp(frame) for frame in source.frames(1, range(15), "video")]
    assert slow == np.minimum(np.round(np.arange(15) / 3), 4).tolist()
    assert source.episode_metadata(1)["path"] == "b.gif"
    assert source.episode_metadata(1)["task"] == "wave"


def test_an_import_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        write_stamped(tmp_path / f"in/{number}.mp4", 40 + number)
    config = ImportConfig(path=tmp_path / "in", output=tmp_path / "out", max_episode_s=1.0, image_size=(32, 64))
    append = EpisodeWriter.append_rows

    def stopped(self: EpisodeWriter, **kwargs: object) -> int:
        if self.num_episodes == 3:
            raise KeyboardInterrupt
        return append(self, **kwargs)

    monkeypatch.setattr(EpisodeWriter, "append_rows", stopped)
    with pytest.raises(KeyboardInterrupt):
        import_footage(config)
    monkeypatch.undo()
    assert import_footage(config)["already_there"] == 3
    again = import_footage(config)
    assert (again["already_there"], again["episodes"]) == (6, 6)
    source = LeRobotSource(tmp_path / "out")
    assert source.lengths.tolist() == [30, 10, 30, 11, 30, 12]
    assert [read_stamp(source.frames(3, [row], "video")[0]) for row in (0, 10)] == [30, 40]
    assert source.episode_key(2) == source.episode_key(3) == "1.mp4"


def test_a_data_set_keeps_its_numbers_and_names(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / "in", fps_hz=20.0, robot_type="panda") as episodes:
        for seed in range(2):
            episodes.append(make_episode(seed))
    import_footage(ImportConfig(path=tmp_path / "in", output=tmp_path / "out", image_size=(16, 24)))
    before, after = LeRobotSource(tmp_path / "in"), LeRobotSource(tmp_path / "out")
    assert after.cameras == before.cameras
    assert after.robot_type == "panda"
    for key in before.features:
        assert np.array_equal(after.values(1, range(7), key), before.values(1, range(7), key))
    assert after.frames(1, [0], "wrist").shape == (1, 3, 16, 24)
    assert after.episode_key(1) == before.episode_key(1)
    assert after.episode_metadata(1)["variations"] == before.episode_metadata(1)["variations"]


def test_what_is_not_possible_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(DataError, match="does not exist"):
        import_footage(ImportConfig(path=tmp_path / "none", output=out))
    with pytest.raises(ConfigError, match=r"image_size=\(33, 64\) can't be stored: H.264 needs an even"):
        import_footage(ImportConfig(path=tmp_path, output=out, image_size=(33, 64)))
    with pytest.raises(ConfigError, match=r"max_episode_s=900.0 must lie"):
        import_footage(ImportConfig(path=tmp_path, output=out, max_episode_s=900.0))
    with pytest.raises(ConfigError, match="fps_hz=0 must be at least 1"):
        import_footage(ImportConfig(path=tmp_path, output=out, fps_hz=0))
    assert not out.exists()


def test_damaged_files_are_left_out_or_cut_short_and_counted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_stamped(tmp_path / "in/whole.mp4", 20)
    path = write_stamped(tmp_path / "in/cut.mkv", 60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    strict = import_footage(ImportConfig(path=tmp_path / "in", output=tmp_path / "strict"))
    assert (strict["episodes"], list(strict["skipped"]), strict["cut"]) == (1, [str(path)], {})
    kept = import_footage(ImportConfig(path=tmp_path / "in", output=tmp_path / "kept", damaged="keep_prefix"))
    assert (kept["episodes"], kept["skipped"], list(kept["cut"])) == (2, {}, [str(path)])
    assert "1 cut short where they are damaged" in kept["summary"]
    source = LeRobotSource(tmp_path / "kept")
    assert 20 < source.lengths[0] < 60
    assert [read_stamp(frame) for frame in source.frames(0, range(20), "video")] == list(range(20))


def test_frames_of_an_unsteady_clock_are_taken_by_their_time(tmp_path: Path) -> None:
    steps = (1, 3, 1, 7)
    write_stamped(tmp_path / "vfr.mp4", 20, steps=steps)
    import_footage(ImportConfig(path=tmp_path / "vfr.mp4", output=tmp_path / "out", fps_hz=30))
    shown = np.repeat(np.arange(20), [steps[i % 4] for i in range(20)])
    source = LeRobotSource(tmp_path / "out")
    stamps = [read_stamp(frame) for frame in source.frames(0, range(len(shown) - 6), "video")]
    assert stamps == shown[:-6].tolist()


def test_of_a_camera_that_stands_still_only_what_moves_is_kept(tmp_path: Path) -> None:
    write_stamped(tmp_path / "in.mp4", 9)
    import_footage(ImportConfig(path=tmp_path / "in.mp4", output=tmp_path / "out", background="subtract"))
    source = LeRobotSource(tmp_path / "out")
    seen = source.frames(0, range(9), "video").astype(int)
    still = seen[:, 0, 20:]  # the red gradient never moves
    assert np.abs(still - 128).mean() < 3
    change = source.frames(0, [8], "video").astype(int) - 128
    before = [frame.astype(int) for frame in VideoFolder(tmp_path / "in.mp4").frames(0, range(9))]
    assert np.abs(change - (before[8] - np.median(before, axis=0))[None].clip(-128, 127)).mean() < 6
