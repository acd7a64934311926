"""Videos of synchronous cameras become episodes with several cameras."""

from pathlib import Path

import pytest
from recordings import read_stamp, write_stamped

from robossl.config.import_footage import ImportConfig
from robossl.data.sources import LeRobotSource
from robossl.data.synchronous_videos import SynchronousVideos
from robossl.errors import ConfigError, DataError
from robossl.stages.import_footage import import_footage


def test_files_of_one_recording_are_one_episode_and_the_rest_is_named(tmp_path: Path) -> None:
    here = tmp_path / "in"
    (here / "second").mkdir(parents=True)
    write_stamped(here / "a_cam1.mp4", 7)
    write_stamped(here / "a_cam10.mp4", 6, first=100, size=(32, 64))
    write_stamped(here / "second/cam10.mp4", 5, first=300)
    write_stamped(here / "second/cam1.mp4", 5, first=200)
    write_stamped(here / "lonely_cam1.mp4", 4)
    write_stamped(here / "other.mp4", 4)
    write_stamped(here / "slow_cam1.mp4", 9)
    write_stamped(here / "slow_cam10.mp4", 9, fps_hz=20)
    config = ImportConfig(path=here, output=tmp_path / "out", cameras=("cam1", "cam10"))
    result = import_footage(config)
    assert sorted(Path(path).name for path in result["skipped"]) == [
        "lonely_cam1.mp4",
        "other.mp4",
        "slow_cam1.mp4",
        "slow_cam10.mp4",
    ]
    assert "lonely_*.mp4 lacks the cameras cam10" in result["skipped"].values()
    assert any("drift" in reason for reason in result["skipped"].values())
    source = LeRobotSource(tmp_path / "out")
    assert source.cameras == ("cam1", "cam10")
    assert source.lengths.tolist() == [6, 5]
    seen = [
        [read_stamp(frame) for frame in source.frames(episode, range(3), camera)]
        for episode in (0, 1)
        for camera in source.cameras
    ]
    assert seen == [[0, 1, 2], [100, 101, 102], [200, 201, 202], [300, 301, 302]]
    assert source.frame_size("cam10") == (32, 64)
    assert source.episode_key(1) == "second/*.mp4"
    assert import_footage(config)["already_there"] == 2


def test_cameras_that_make_no_recording_are_refused(tmp_path: Path) -> None:
    write_stamped(tmp_path / "cam1.mp4", 3)
    with pytest.raises(ConfigError, match="name two or more"):
        SynchronousVideos(tmp_path, cameras=("cam1",))
    with pytest.raises(DataError, match="has no recording by all of cam1, cam2"):
        SynchronousVideos(tmp_path, cameras=("cam1", "cam2"))
    with pytest.raises(ConfigError, match="is no folder"):
        import_footage(ImportConfig(path=tmp_path / "cam1.mp4", output=tmp_path / "out", cameras=("a", "b")))
    assert not (tmp_path / "out").exists()
