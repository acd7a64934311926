"""What a writer says of features that do not fit its data set, and of data sets that it must not add to."""

import json
from pathlib import Path

import numpy as np
import pytest

from robossl.data.lerobot import EpisodeWriter, layout
from robossl.errors import DataError


def append(writer: EpisodeWriter, *keys: str) -> None:
    writer.append_rows(
        frames={"front": [np.zeros((16, 16, 3), np.uint8)] * 3},
        sizes={"front": (16, 16)},
        columns={key: np.zeros((3, 2), np.float32) for key in keys},
        task="",
        extras={},
    )


def test_a_feature_too_few_or_too_many_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, fps_hz=20.0)
    append(writer, "action", "force")
    with pytest.raises(DataError, match=r"'force' is missing from the episode, which has action, observation"):
        append(writer, "action")
    with pytest.raises(DataError, match=r"'torque' is not in this data set, which has action, force, observation"):
        append(writer, "action", "force", "torque")


def test_a_writer_that_goes_on_refuses_another_robot(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, fps_hz=20.0, robot_type="panda") as writer:
        append(writer, "action")
    with pytest.raises(DataError, match="holds episodes of the robot 'panda', these are of 'ur5': choose another dir"):
        EpisodeWriter(tmp_path, fps_hz=20.0, robot_type="ur5")
    assert EpisodeWriter(tmp_path, fps_hz=20.0).robot_type == "panda"


def test_a_data_set_of_another_program_is_not_added_to(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, fps_hz=20.0) as writer:
        append(writer, "action")
    path = tmp_path / layout.INFO_PATH
    info = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in info.items() if not key.startswith("robossl_")}))
    with pytest.raises(DataError, match="was not written by robossl and can't be added to: import it into a new"):
        EpisodeWriter(tmp_path, fps_hz=20.0)
