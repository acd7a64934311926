"""The doctor finds every fault that is put into a clean data set, and nothing in clean ones."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from doctor_faults import IN_FILES, RECORDED, put
from doctor_sets import LENGTH, NUM, edit_column, edit_info, picture, write
from recordings import FOOTAGE, make_episode

from robossl.data.doctor import FAULTS, NOTES, Examination, examine
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource
from robossl.errors import DataError

ALSO = {"wrong_length", "stale_stats"}
"""Seen beside some faults: rows that are gone are no longer in the statistics."""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with nothing wrong; a test may not change it."""
    return write(tmp_path_factory.mktemp("clean") / "set")


def kinds(found: Examination) -> set[str]:
    return {finding.kind for finding in found.faults}


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
    elsewhere = {
        "not_finite",
        "mostly_static",
        "too_short",
        "split_shares_layout",
        "no_frame_times",
        "wrong_declared_count",
    }
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
