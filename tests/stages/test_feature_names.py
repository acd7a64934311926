"""The names of a feature's numbers stay with the data through import, merge and split."""

import json
from pathlib import Path

import numpy as np
import pytest

from robossl import cli
from robossl.data.lerobot import EpisodeWriter, layout
from robossl.data.sources import LeRobotSource


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(root: str, *, names: object = None, num_episodes: int = 2) -> None:
    """Write a data set, and name the two numbers of its action as some other program may have."""
    with EpisodeWriter(root, fps_hz=20.0) as episodes:
        for value in range(num_episodes):
            episodes.append_rows(
                frames={"front": [np.full((16, 16, 3), value, np.uint8)] * 3},
                sizes={"front": (16, 16)},
                columns={"action": np.full((3, 2), value, np.float32), "force": np.zeros((3, 1), np.float32)},
                task="",
                extras={},
            )
    path = Path(root) / layout.INFO_PATH
    info = json.loads(path.read_text())
    info["features"]["action"]["names"] = names
    path.write_text(json.dumps(info))


def stored(root: str) -> tuple[object, object]:
    features = json.loads((Path(root) / layout.INFO_PATH).read_text())["features"]
    return features["action"]["names"], features["force"]["names"]


@pytest.mark.parametrize(
    "names",
    [["elbow", "wrist"], [["elbow", "wrist"]], {"motors": ["elbow", "wrist"]}, {"wrist": 1, "elbow": 0}],
    ids=["list", "nested", "dict_of_list", "dict_of_places"],
)
def test_import_keeps_names_as_a_list(names: object) -> None:
    write("named", names=names)
    assert LeRobotSource("named").names("action") == ("elbow", "wrist")
    assert cli.main(["import", "named", "--output=out"]) == 0
    assert stored("out") == (["elbow", "wrist"], None)


def test_names_that_are_not_one_a_number_are_left_out() -> None:
    write("named", names=["all"])
    assert cli.main(["import", "named", "--output=out"]) == 0
    assert stored("out") == (None, None)


def test_merge_and_split_keep_names() -> None:
    write("named", names=["elbow", "wrist"])
    write("bare", num_episodes=3)
    for words in (["named", "bare", "--output=one"], ["bare", "named", "--output=two"]):
        assert cli.main(["merge", *words]) == 0
        assert stored(words[-1].removeprefix("--output=")) == (["elbow", "wrist"], None)
    assert cli.main(["merge", "named", "--output=bare"]) == 0
    assert stored("bare") == (["elbow", "wrist"], None)
    assert cli.main(["split", "one", "--output=parts", "--test-episodes", "0"]) == 0
    assert stored("parts/train") == stored("parts/test") == (["elbow", "wrist"], None)


def test_names_survive_a_kill_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: EpisodeWriter) -> Path:
        raise KeyboardInterrupt

    write("named", names=["elbow", "wrist"])
    write("bare")
    with monkeypatch.context() as patched:
        patched.setattr(EpisodeWriter, "finalize", killed)
        assert cli.main(["merge", "named", "--output=bare"]) == 130
    assert cli.main(["merge", "named", "--output=bare"]) == 0
    assert stored("bare") == (["elbow", "wrist"], None)
