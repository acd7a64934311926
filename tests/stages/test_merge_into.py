"""`robossl merge` into a data set that holds episodes: a kill is gone on from, a refusal changes nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from merging import stop_at, write_set
from test_merge import content

from robossl import cli
from robossl.data.doctor import examine
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource
from robossl.errors import DataError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, seeds in {"m": range(3), "good": range(3, 7)}.items():
        write_set(name, seeds)


def write(root: str, *, fps_hz: float = 20.0, robot_type: str | None = None, dim: int = 2, key: str = "action") -> None:
    with EpisodeWriter(root, fps_hz=fps_hz, robot_type=robot_type) as episodes:
        episodes.append_rows(
            frames={"front": [np.zeros((16, 16, 3), np.uint8)] * 3},
            sizes={"front": (16, 16)},
            columns={key: np.zeros((3, dim), np.float32)},
            task="",
            extras={},
        )


def check_refused(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(".")
    assert cli.main(["merge", *words]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert len(error.strip().splitlines()) == 1
    assert {name: digest for name, digest in content(".").items() if not name.startswith("runs/")} == before


def test_a_kill_is_gone_on_from(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with monkeypatch.context() as patched:
        stop_at(patched, 5, KeyboardInterrupt)
        assert cli.main(["merge", "good", "--output=m"]) == 130
    assert list(Path("m/journal").glob("episode-*"))
    assert cli.main(["merge", "good", "--output=m"]) == 0
    assert "done: 4 episodes added, 7 in all" in capsys.readouterr().out
    whole = LeRobotSource("m")
    assert [whole.episode_metadata(number)["seed"] for number in range(7)] == list(range(7))
    assert not examine(Path("m")).faults


def test_an_episode_that_cannot_be_read_leaves_those_before_it_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        stop_at(patched, 5, DataError)
        assert cli.main(["merge", "good", "--output=m"]) == 2
    assert len(LeRobotSource("m").lengths) == 5
    assert cli.main(["merge", "good", "--output=m"]) == 0
    assert len(LeRobotSource("m").lengths) == 7


def test_a_refusal_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write("narrow")
    write("wide", dim=3)
    write("slow", fps_hz=10.0)
    write("other", key="observation.state")
    for words, text in (
        (["good", "narrow", "--output=m"], "narrow does not fit m: feature "),
        (["good", "narrow", "--output=new"], "narrow does not fit good: feature "),
        (["narrow", "wide", "--output=new"], "wide does not fit narrow: feature 'action' has the shape [3], expected"),
        (["good", "slow", "--output=m"], "slow has 10 frames a second, m 20: leave one of them out, or choose another"),
        (["slow", "--output=m"], "slow has 10 frames a second, m 20"),
        (["narrow", "other", "--output=new"], "feature 'action' is missing"),
    ):
        check_refused(words, text, capsys)
    assert len(LeRobotSource("m").lengths) == 3


def name(root: str, names: object) -> None:
    path = Path(root) / "meta/info.json"
    info = json.loads(path.read_text())
    info["features"]["action"]["names"] = names
    path.write_text(json.dumps(info))


def test_another_robot_or_other_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for root, robot in {"panda": "panda", "ur5": "ur5", "any": None}.items():
        write(root, robot_type=robot)
    check_refused(["any", "panda", "ur5", "--output=new"], "ur5 is of the robot 'ur5', panda of 'panda'", capsys)
    assert cli.main(["merge", "any", "--output=panda"]) == 0
    check_refused(["ur5", "--output=panda"], "ur5 is of the robot 'ur5', panda of 'panda'", capsys)
    name("panda", ["x", "y"])
    name("any", {"axes": ["x", "z"]})
    check_refused(["any", "--output=panda"], "feature 'action' calls a number 'z', expected 'y'", capsys)
    name("any", {"y": 1, "x": 0})
    assert cli.main(["merge", "any", "--output=panda"]) == 0
