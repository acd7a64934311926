"""Every decoder returns exactly the frame that was asked for, upright, or says which file and frame fail."""

from pathlib import Path

import numpy as np
import pytest
from decoders import DECODERS, require
from recordings import FOOTAGE, read_stamp, set_display_matrix, stamped, write_stamped

from robossl.data.video import (
    VideoReadError,
    encode_video,
    join_videos,
    open_video,
)
from robossl.data.video.check import check_decoder
from robossl.data.video.image_folder import ImageFolderReader
from robossl.data.video.open import DecoderName
from robossl.data.video.pyav_reader import PyAVReader
from robossl.errors import DataError


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(("gop", "b_frames"), [(1, 0), (12, 0), (12, 2), (250, 0), (250, 3)])
def test_every_decoder_finds_each_frame_by_number(
    tmp_path: Path, decoder: DecoderName, gop: int, b_frames: int
) -> None:
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
def test_frames_are_uint8_rgb_channels_first_with_the_right_colours(tmp_path: Path, decoder: DecoderName) -> None:
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
    assert reader.decoder == "pyav"
    assert [read_stamp(reader.read([index])[0]) for index in (31, 2, 39, 17, 0)] == [31, 2, 39, 17, 0]


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
def test_frames_outside_of_the_file_are_refused_by_path_and_number(tmp_path: Path, decoder: DecoderName) -> None:
    require(decoder)
    path = write_stamped(tmp_path / "video.mp4", 5)
    reader = open_video(path, decoder=decoder)
    for index in (5, -1):
        with pytest.raises(VideoReadError, match=rf"video.mp4, frame {index}: it has frames 0 to 4"):
            reader.read([index])
    with pytest.raises(VideoReadError, match="no frame was asked for"):
        reader.read([])


@pytest.mark.parametrize(
    "name", ["libx265.mp4", "libvpx-vp9.webm", "libsvtav1.mp4", "mpeg4.mp4", "mjpeg.avi", "libx264.ts"]
)
def test_every_admitted_decoder_is_right_on_other_codecs(tmp_path: Path, name: str) -> None:
    path = write_stamped(tmp_path / name, 40, codec=name.partition(".")[0], gop=12, b_frames=2)
    admitted = []
    for decoder in DECODERS:
        if decoder != "auto" and check_decoder(path, decoder):
            with pytest.raises(VideoReadError, match="use decoder='auto'"):
                open_video(path, decoder=decoder)
            continue
        reader = open_video(path, decoder=decoder)
        admitted.append(reader.decoder)
        order = np.random.default_rng(1).permutation(40)
        assert [read_stamp(reader.read([index])[0]) for index in order] == order.tolist(), decoder
    assert "pyav" in admitted
    assert name != "libx265.mp4" or "decord" not in admitted, "it returns frames off by two between the sampled ones"


def test_what_an_edit_list_hides_has_no_number(tmp_path: Path) -> None:
    options = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    reader = open_video(write_stamped(tmp_path / "cut.mp4", 40, start=-7, b_frames=2, muxer=options))
    assert reader.num_frames == 33
    assert [read_stamp(reader.read([index])[0]) for index in (32, 0, 5, 11)] == [39, 7, 12, 18]
    assert reader.times_s[0] == 0


@pytest.mark.parametrize("name", ["late.mkv", "steady.mp4", "vfr.mp4"])
def test_frames_are_found_by_time_counted_from_the_first_one(tmp_path: Path, name: str) -> None:
    steps = (1, 3, 1, 7) if name == "vfr.mp4" else (1,)
    path = write_stamped(tmp_path / name, 40, b_frames=2, steps=steps, start=50 if name == "late.mkv" else 0)
    reader = open_video(path)
    starts = np.concatenate([[0], np.cumsum([steps[i % len(steps)] for i in range(39)])])
    assert np.abs(reader.times_s - starts / 30).max() < 1e-3
    numbers = [0, 2, 31, 17, 39]
    exact = (starts[numbers] / 30).astype(np.float32)
    assert [read_stamp(frame) for frame in reader.read_at(exact)] == numbers
    assert [read_stamp(frame) for frame in reader.read_at(exact + np.float32(0.9 / 30))] == numbers
    for outside in (-0.1, float(reader.times_s[-1] + 1 / reader.fps_hz + 0.01), np.nan):
        with pytest.raises(VideoReadError, match="outside of the video, which lasts"):
            reader.read_at([outside])


@pytest.mark.parametrize(("codec", "pix_fmt"), [("libx264", "yuvj420p"), ("libx265", "yuv420p10le")])
def test_full_range_and_ten_bits_have_the_right_colours(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    path = write_stamped(tmp_path / "clip.mp4", 5, codec=codec, pix_fmt=pix_fmt)
    for decoder in ("pyav", "decord") if codec == "libx264" else ("pyav",):
        require(decoder)
        frame = open_video(path, decoder=decoder).read([3])[0]
        assert np.abs(frame.transpose(1, 2, 0).astype(int) - stamped(3)).mean() < 6


def test_numbered_pictures_are_a_video(tmp_path: Path) -> None:
    for number in (2, 10, 1):
        write_stamped(tmp_path / f"shot{number}.png", 1, codec="png", pix_fmt="rgb24", first=number)
    reader = open_video(tmp_path)
    assert (reader.num_frames, reader.fps_hz) == (3, 30)
    assert [read_stamp(frame) for frame in reader.read([2, 0, 1])] == [10, 1, 2]
    assert [read_stamp(frame) for frame in reader.read_at([0.04])] == [2]
    (tmp_path / "shot11.png").write_bytes(b"no picture")
    with pytest.raises(VideoReadError, match=r"frame 3: shot11.png is no picture"):
        open_video(tmp_path).read([3])
    write_stamped(tmp_path / "other3.png", 1, codec="png", pix_fmt="rgb24")
    with pytest.raises(VideoReadError, match="no numbered pictures"):
        ImageFolderReader(tmp_path)


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
