"""Damage is named, never hidden: no decoder gives another frame in silence."""

from pathlib import Path

import pytest
from decoders import DECODERS
from recordings import FOOTAGE, read_stamp, write_stamped

from robossl.data.video import (
    VideoReadError,
    check,
    open_video,
)
from robossl.data.video.check import check_every_frame
from robossl.data.video.pyav_reader import PyAVReader
from robossl.errors import RobosslError

CUT_OFF = r"decoding failed|its header says 60 frames, its data ends after|its data is damaged there"


def outcome(reader: PyAVReader, index: int) -> str:
    try:
        return "right" if read_stamp(reader.read([index])[0]) == index else "another frame"
    except VideoReadError as error:
        return str(error).partition(f", frame {index}: ")[0]


def damage(path: Path, *, num_bytes: int = 2000) -> Path:
    """Wipe bytes out a third into the data of a file."""
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + len(content[content.index(b"mdat") :]) // 3
    content[start : start + num_bytes] = bytes(num_bytes)
    path.write_bytes(bytes(content))
    return path


def test_damage_in_the_middle_is_an_error_and_never_another_frame(tmp_path: Path) -> None:
    path = damage(write_stamped(tmp_path / "broken.mp4", 60, gop=1))
    reader = PyAVReader(path)
    outcomes = [outcome(reader, index) for index in range(60)]
    assert "another frame" not in outcomes
    assert outcomes.count(f"can't read video {path}") > 0
    assert outcomes[0] == outcomes[-1] == "right"
    for decoder in DECODERS:
        with pytest.raises(
            VideoReadError, match=r"broken.mp4, frame \d+: .*damaged='keep_prefix' reads the \d+ frames"
        ):
            open_video(path, decoder=decoder)


@pytest.mark.parametrize("gop", [1, 12, 250])
def test_the_frames_before_the_damage_can_be_kept(tmp_path: Path, gop: int) -> None:
    path = damage(write_stamped(tmp_path / "broken.mp4", 60, gop=gop, b_frames=2 if gop > 1 else 0))
    reader = open_video(path, damaged="keep_prefix")
    assert 10 < reader.num_frames < 40
    assert reader.damage
    assert [read_stamp(frame) for frame in reader.read(range(reader.num_frames))] == list(range(reader.num_frames))
    with pytest.raises(VideoReadError, match="it has frames 0 to"):
        reader.read([reader.num_frames])
    with pytest.raises(RobosslError, match=r"damaged='keep_prefx' is not known.*did you mean 'keep_prefix'"):
        open_video(path, damaged="keep_prefx")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_cut_off_file_is_refused_or_read_as_far_as_it_goes(tmp_path: Path, name: str) -> None:
    path = write_stamped(tmp_path / name, 60, muxer={"movflags": "+faststart"} if name == "a.mp4" else None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    with pytest.raises(VideoReadError, match=CUT_OFF):
        open_video(path)
    reader = open_video(path, damaged="keep_prefix")
    assert 20 < reader.num_frames < 50
    assert [read_stamp(frame) for frame in reader.read(range(reader.num_frames))] == list(range(reader.num_frames))


def test_truncated_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    whole = write_stamped(tmp_path / "whole.mp4", 30)
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    (tmp_path / "text.mp4").write_text("no video")
    for name, reason in {
        "cut.mp4": "can't be opened",
        "text.mp4": "can't be opened",
        "none.mp4": "no such file",
    }.items():
        with pytest.raises(VideoReadError, match=rf"{name}: .*{reason}"):
            open_video(tmp_path / name)


def test_damage_between_the_samples_of_a_large_file_is_found_by_decoding_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "MAX_DECODED_PIXELS", 0)
    monkeypatch.setattr(check, "_samples", lambda scan, num_frames: [0, num_frames - 1])
    path = damage(write_stamped(tmp_path / "long.mp4", 60, gop=1), num_bytes=200)
    assert open_video(path).num_frames == 60
    found = check_every_frame(path)
    assert found.damage
    assert found.problems["decord"] == "other decoders hide its damage"
    with pytest.raises(VideoReadError, match="keep_prefix"):
        open_video(path)


@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="the recorded footage is not here")
@pytest.mark.parametrize(
    "name",
    [
        "corrupt_midway_testcard.mp4",
        "invalid_nalu_midway.mp4",
        "malformed_box_unopenable.mp4",
        "truncated_bottles_60pct.mp4",
    ],
)
def test_damaged_recordings_are_refused_by_name(name: str) -> None:
    with pytest.raises(VideoReadError, match=name):
        open_video(FOOTAGE / "awkward" / name)
