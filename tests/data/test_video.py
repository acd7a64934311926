"""Every decoder returns exactly the frame that was asked for, upright, or says which file and frame fail."""

from pathlib import Path

import numpy as np
import pytest
from recordings import FOOTAGE, read_stamp, set_display_matrix, stamped, write_stamped

from robossl.data.video import VideoReader, VideoReadError, encode_video, join_videos, open_video
from robossl.data.video.decord_reader import DecordReader
from robossl.data.video.open import Decoder
from robossl.data.video.pyav_reader import PyAVReader
from robossl.errors import DataError, RobosslError

DECODERS: tuple[Decoder, ...] = ("auto", "decord", "pyav", "opencv")


def require(decoder: str) -> None:
    try:
        __import__({"decord": "decord", "opencv": "cv2"}.get(decoder, "av"))
    except ImportError as error:
        pytest.skip(f"{decoder}: {error}")


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(("gop", "b_frames"), [(1, 0), (12, 0), (12, 2), (250, 0), (250, 3)])
def test_every_decoder_finds_each_frame_by_number(tmp_path: Path, decoder: Decoder, gop: int, b_frames: int) -> None:
    require(decoder)
    path = write_stamped(tmp_path / "video.mp4", 60, gop=gop, b_frames=b_frames)
    reader = open_video(path, decoder=decoder)
    assert reader.num_frames == 60
    assert reader.fps_hz == pytest.approx(30)
    order = np.random.default_rng(0).permutation(60)
    assert [read_stamp(reader.read([index])[0]) for index in order[:25]] == order[:25].tolist()
    assert [read_stamp(frame) for frame in reader.read(order)] == order.tolist()
    assert [read_stamp(frame) for frame in reader.read([7, 7, 3])] == [7, 7, 3]
    reader.close()
    reader.close()


@pytest.mark.parametrize("decoder", DECODERS)
def test_frames_are_uint8_rgb_channels_first_with_the_right_colours(tmp_path: Path, decoder: Decoder) -> None:
    require(decoder)
    red = np.zeros((32, 64, 3), dtype=np.uint8)
    red[...] = (200, 40, 20)
    encode_video(tmp_path / "red.mp4", [red] * 3, fps_hz=10)
    frames = open_video(tmp_path / "red.mp4", decoder=decoder).read([0, 2])
    assert frames.dtype == np.uint8
    assert frames.shape == (2, 3, 32, 64)
    assert np.abs(frames.mean(axis=(0, 2, 3)) - (200, 40, 20)).max() < 4


def test_variable_rate_goes_to_pyav_which_numbers_its_frames_right(tmp_path: Path) -> None:
    path = write_stamped(tmp_path / "vfr.mp4", 40, b_frames=2, steps=(1, 3, 1, 7))
    reader = open_video(path)
    assert isinstance(reader, PyAVReader)
    assert [read_stamp(reader.read([index])[0]) for index in (31, 2, 39, 17, 0)] == [31, 2, 39, 17, 0]


def test_constant_rate_h264_goes_to_decord(tmp_path: Path) -> None:
    require("decord")
    assert isinstance(open_video(write_stamped(tmp_path / "video.mp4", 10)), DecordReader)


def test_gif_is_read(tmp_path: Path) -> None:
    reader = open_video(write_stamped(tmp_path / "clip.gif", 12, codec="gif", fps_hz=10))
    assert [read_stamp(frame) for frame in reader.read([11, 0, 5])] == [11, 0, 5]


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    ],
)
def test_display_matrix_turns_and_mirrors_frames(tmp_path: Path, matrix: tuple[int, ...], turn) -> None:
    path = write_stamped(tmp_path / "phone.mp4", 5)
    set_display_matrix(path, matrix)
    expected = turn(stamped(3)).transpose(2, 0, 1).astype(int)
    for decoder in ("auto", "pyav"):
        frame = open_video(path, decoder=decoder).read([3])[0]
        assert frame.shape == expected.shape
        assert np.abs(frame - expected).mean() < 6


@pytest.mark.parametrize("decoder", DECODERS)
def test_frames_outside_of_the_file_are_refused_by_path_and_number(tmp_path: Path, decoder: Decoder) -> None:
    require(decoder)
    path = write_stamped(tmp_path / "video.mp4", 5)
    reader = open_video(path, decoder=decoder)
    for index in (5, -1):
        with pytest.raises(VideoReadError, match=rf"video.mp4, frame {index}: it has frames 0 to 4"):
            reader.read([index])
    with pytest.raises(VideoReadError, match="no frame was asked for"):
        reader.read([])


def outcome(reader: VideoReader, index: int) -> str:
    try:
        return "right" if read_stamp(reader.read([index])[0]) == index else "another frame"
    except VideoReadError as error:
        return str(error).partition(f", frame {index}: ")[0]


def test_damage_in_the_middle_is_an_error_and_never_another_frame(tmp_path: Path) -> None:
    path = write_stamped(tmp_path / "broken.mp4", 60, gop=1)
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + len(content[content.index(b"mdat") :]) // 3
    content[start : start + 2000] = bytes(2000)
    path.write_bytes(bytes(content))
    reader = open_video(path, decoder="pyav")
    outcomes = [outcome(reader, index) for index in range(60)]
    assert "another frame" not in outcomes
    assert outcomes.count(f"can't read video {path}") > 0
    assert outcomes[0] == outcomes[-1] == "right"
    with pytest.raises(VideoReadError, match=r"broken.mp4, frame \d+: "):
        open_video(path)


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


def test_unknown_decoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RobosslError, match="decoder='vlc' is not known, allowed are auto, decord, pyav, opencv"):
        open_video(tmp_path / "video.mp4", decoder="vlc")


def test_encoding_refuses_odd_sizes_nothing_and_changing_frames(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="even"):
        encode_video(tmp_path / "a.mp4", [stamped(0, height=47)], fps_hz=10)
    with pytest.raises(DataError, match="no frames"):
        encode_video(tmp_path / "b.mp4", [], fps_hz=10)
    with pytest.raises(DataError, match="frame 1 is uint8"):
        encode_video(tmp_path / "c.mp4", [stamped(0), stamped(1, height=50)], fps_hz=10)


def test_joined_files_keep_every_frame_at_its_exact_time(tmp_path: Path) -> None:
    parts = []
    for part in range(3):
        parts.append(tmp_path / f"{part}.mp4")
        encode_video(parts[-1], [stamped(10 * part + i) for i in range(5 + part)], fps_hz=30)
    assert join_videos(tmp_path / "all.mp4", parts, fps_hz=30) == [0, 5, 11]
    reader = open_video(tmp_path / "all.mp4")
    numbers = [read_stamp(frame) for frame in reader.read(range(18))]
    assert numbers == [*range(5), *range(10, 16), *range(20, 27)]
    assert reader.fps_hz == 30.0


@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="the recorded footage is not here")
@pytest.mark.parametrize(
    ("name", "num_frames", "shape"),
    [
        ("vfr_hand_box.mp4", 455, (480, 640)),
        ("phone_rot090.mov", 3, (568, 320)),
        ("rot90_reflect.mp4", 30, (1080, 720)),
        ("vp9_161x121.webm", 30, (121, 161)),
        ("av1_person.mp4", 30, (720, 1080)),
        ("mpegts_3_frames.ts", 3, (426, 640)),
        ("nasa_two_video_streams.mp4", 325, (180, 320)),
        ("mpeg2_program_stream.mpeg", 249, (480, 640)),
    ],
)
def test_awkward_recordings_agree_with_reading_them_in_sequence(name: str, num_frames: int, shape: tuple) -> None:
    path = FOOTAGE / "awkward" / name
    reader = open_video(path)
    assert reader.num_frames == num_frames
    numbers = sorted({0, num_frames // 3, num_frames - 1})
    in_sequence = PyAVReader(path).read(numbers)
    assert in_sequence.shape[-2:] == shape
    for place in (2, 0, 1):
        assert np.abs(reader.read([numbers[place]])[0].astype(int) - in_sequence[place]).mean() < 0.5


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
