"""metrics.jsonl is the truth; videos are files that browsers play."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from robossl.runs import Tracker


def _steps(directory: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (directory / "metrics.jsonl").read_text().splitlines()]


def test_rows_are_on_disk_at_once(tmp_path: Path) -> None:
    Tracker(tmp_path).log(4, {"loss/total": np.float32(0.5), "nothing": float("nan")})
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {"step": 4, "loss/total": 0.5, "nothing": None}


def test_a_metric_can_not_take_the_place_of_the_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'step'"):
        Tracker(tmp_path).log(4, {"step": 3})


def test_rows_that_will_be_run_again_are_cut(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path)
    tracker.cut_back(0)
    for step in range(5):
        tracker.log(step, {"loss": step})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')  # a kill in the middle of a line
    tracker.cut_back(3)
    tracker.log(3, {"loss": 3})
    assert _steps(tmp_path) == [0, 1, 2, 3]


@pytest.mark.parametrize("shape", [(5, 64, 64, 3), (3, 301, 333, 3), (1, 10, 20, 3)])
def test_a_video_keeps_its_frames(tmp_path: Path, shape: tuple[int, int, int, int]) -> None:
    frames = np.full(shape, 200, np.uint8)
    path = Tracker(tmp_path).log_video("rollout/reach", frames, fps_hz=20)
    assert path == tmp_path / "videos/rollout-reach.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert (stream.codec_context.name, stream.average_rate) == ("h264", 20)
    assert len(decoded) == shape[0]
    assert abs(decoded[0].astype(int) - 200).max() < 5


def test_other_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"uint8 \[T,H,W,3\], not float32 \[2, 4, 4, 3\]"):
        Tracker(tmp_path).log_video("a", np.zeros((2, 4, 4, 3), np.float32))
