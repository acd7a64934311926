"""`robossl embed` writes what the encoder says of each frame, with the frame's own time."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from recordings import make_episode, write_stamped

from robossl import cli
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource, VideoFolder
from robossl.encoders import build_encoder, load_encoder, save_encoder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_encoder(build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16), strides=(4, 2)), "encoder")


def test_footage_becomes_rows_with_times_of_its_own() -> None:
    Path("in").mkdir()
    write_stamped(Path("in/a.mp4"), 7)
    write_stamped(Path("in/b.mp4"), 6, steps=(1, 3))
    assert cli.main(["embed", "encoder", "in", "--output=out", "--batch-size=4"]) == 0
    table = pq.read_table("out/features.parquet")
    assert table["episode"].to_pylist() == [0] * 7 + [1] * 6
    assert table["frame"].to_pylist() == [*range(7), *range(6)]
    assert np.allclose(table["timestamp_s"].to_numpy()[7:], np.array([0, 1, 4, 5, 8, 9]) / 30)
    with torch.no_grad():
        expected = load_encoder("encoder").eval()(torch.from_numpy(VideoFolder("in").frames(1, range(6))))
    assert np.allclose(np.array(table["feature"].to_pylist())[7:], expected.numpy(), atol=1e-5)
    about = json.loads(table.schema.metadata[b"robossl"])
    assert about["camera"] == "video"
    assert about["data"] == VideoFolder("in").digest


def test_a_camera_and_a_stride_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with EpisodeWriter("set", fps_hz=20.0) as episodes:
        episodes.append(make_episode(0))
    assert cli.main(["embed", "encoder", "set", "--output=out", "--camera=wrist", "--frame-stride=3"]) == 0
    table = pq.read_table("out/features.parquet")
    assert table["frame"].to_pylist() == list(range(0, int(LeRobotSource("set").lengths[0]), 3))
    assert np.allclose(table["timestamp_s"].to_numpy(), table["frame"].to_numpy() / 20)
    assert "done: 3 frames of 1 episodes, 16 numbers each" in capsys.readouterr().out


def test_a_frame_that_is_encoded_alone_sees_the_same_clip_as_in_a_batch() -> None:
    video = build_encoder("conv2plus1d", image_size=32, feature_dim=8, widths=(8, 16), strides=(4, 2))
    save_encoder(video, "video")
    Path("in").mkdir()
    write_stamped(Path("in/a.mp4"), 14)
    read = {}
    for size in (5, 4, 1):  # of frames 0, 3, 6, 9, 12: the last one is alone in a batch of 4
        words = [f"--output=out{size}", f"--batch-size={size}", "--frame-stride=3"]
        assert cli.main(["embed", "video", "in", *words]) == 0
        read[size] = np.array(pq.read_table(f"out{size}/features.parquet")["feature"].to_pylist())
    assert np.allclose(read[4], read[5], atol=1e-5)
    assert np.allclose(read[1], read[5], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["encoder"], "give an ENCODER and a PATH: robossl embed ENCODER PATH"),
        (["encoder", "none"], "path none does not exist; give a data set, a folder of videos or a video"),
        (["encoder", "in", "more"], "more is one path too many; give ENCODER PATH"),
        (["encoder", "in", "--camera=front"], "in has no camera 'front'; it has video"),
    ],
)
def test_what_is_missing_is_named(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    write_stamped(Path("in/a.mp4"), 3)
    assert cli.main(["embed", *words, "--output=out"]) == 2
    assert text in capsys.readouterr().err
