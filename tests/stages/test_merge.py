"""`robossl merge` and `robossl split` copy episodes bit for bit, go on where they stopped, and touch nothing else."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from merging import stop_at, write_set

from robossl import cli
from robossl.data.doctor import examine
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, seeds in {"a": range(3), "b": range(3, 8)}.items():
        write_set(name, seeds)


def content(root: str) -> dict[str, str]:
    files = [path for path in sorted(Path(root).rglob("*")) if path.is_file() and "robossl/" not in path.as_posix()]
    return {path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check_equal(one: LeRobotSource, episode: int, other: LeRobotSource, number: int) -> None:
    assert one.lengths[episode] == other.lengths[number]
    rows = np.arange(one.lengths[episode])
    for camera in one.cameras:
        assert np.array_equal(one.frames(episode, rows, camera), other.frames(number, rows, camera))
    for key in one.features:
        assert np.array_equal(one.values(episode, rows, key), other.values(number, rows, key))
        assert one.dtype(key) == other.dtype(key)
    assert one.episode_key(episode) == other.episode_key(number)
    assert one.episode_metadata(episode)["task"] == other.episode_metadata(number)["task"]


def test_merged_episodes_are_those_of_the_parts_and_the_parts_are_not_touched() -> None:
    before = content("a") | content("b")
    assert cli.main(["merge", "a", "b", "--output=out"]) == 0
    assert content("a") | content("b") == before
    whole, parts = LeRobotSource("out"), (LeRobotSource("a"), LeRobotSource("b"))
    assert len(whole.lengths) == 8
    assert whole.robot_type == "panda"
    for number in range(8):
        check_equal(whole, number, parts[number >= 3], number - 3 * (number >= 3))
    assert not examine(Path("out")).faults


def test_episodes_are_appended_once_and_finished_shards_stay(capsys: pytest.CaptureFixture[str]) -> None:
    shards = {name: digest for name, digest in content("a").items() if "/meta/" not in name}
    assert cli.main(["merge", "b", "--output=a"]) == 0
    assert "done: 5 episodes added, 8 in all" in capsys.readouterr().out
    assert cli.main(["merge", "b", "--output=a"]) == 0
    assert "done: 0 episodes added, 8 in all" in capsys.readouterr().out
    assert shards.items() <= content("a").items()
    check_equal(LeRobotSource("a"), 7, LeRobotSource("b"), 4)


def test_a_merge_that_was_stopped_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        stop_at(patched, 2, KeyboardInterrupt)
        assert cli.main(["merge", "a", "b", "--output=out"]) == 130
    assert cli.main(["merge", "a", "b", "--output=out"]) == 0
    whole = LeRobotSource("out")
    assert [whole.episode_metadata(number)["seed"] for number in range(8)] == list(range(8))


def test_a_split_parts_the_episodes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["split", "b", "--output=out", "--test-episodes", "0", "3:5"]) == 0
    train, test = LeRobotSource("out/train"), LeRobotSource("out/test")
    assert [test.episode_metadata(number)["seed"] for number in range(3)] == [3, 6, 7]
    assert [train.episode_metadata(number)["seed"] for number in range(2)] == [4, 5]
    check_equal(test, 1, LeRobotSource("b"), 3)
    assert cli.main(["split", "b", "--output=by_hash", "--test-fraction=0.4"]) == 0
    assert "done: 3 episodes for train, 2 for test" in capsys.readouterr().out


def test_what_does_not_fit_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with EpisodeWriter("slow", fps_hz=10.0) as episodes:
        episodes.append_rows(
            frames={"front": [np.zeros((16, 16, 3), np.uint8)] * 3},
            sizes={"front": (16, 16)},
            columns={"action": np.zeros((3, 2), np.float32)},
            task="",
            extras={},
        )
    for words, text in (
        (["merge", "a", "slow", "--output=out"], "slow has 10 frames a second, a 20: leave one of them out"),
        (["merge", "a", "none", "--output=out"], "data set none does not exist; give data sets that robossl wrote"),
        (["merge", "a", "--output=a"], "output a is one of the data sets: leave it out, it is appended to"),
        (["split", "b", "--output=new", "--test-episodes", "5"], "'5' must be a number or start:stop within the 5"),
        (["split", "b", "--output=new2", "--test-episodes", "0:5"], "0 episodes for train and 5 for test"),
    ):
        assert cli.main(words) == 2
        assert text in capsys.readouterr().err
