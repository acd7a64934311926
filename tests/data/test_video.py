"""Every decoder returns exactly the frame that was asked for, upright, or says which file and frame fail."""

import math
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recordings import FOOTAGE, read_stamp, set_display_matrix, stamped, write_stamped

from robossl.data.video import (
    VideoReader,
    VideoReadError,
    check,
    decord_process,
    encode_video,
    file_check,
    join_videos,
    open_video,
)
from robossl.data.video import open as opening
from robossl.data.video.check import check_decoder, check_every_frame, check_file
from robossl.data.video.decord_process import DecordReader
from robossl.data.video.image_folder import ImageFolderReader
from robossl.data.video.open import DecoderName
from robossl.data.video.pyav_reader import PyAVReader
from robossl.data.video.scan import scan_video
from robossl.errors import DataError, RobosslError

CUT_OFF = r"decoding failed|its header says 60 frames, its data ends after|its data is damaged there"
DECODERS: tuple[DecoderName, ...] = ("auto", "decord", "pyav", "opencv")


def require(decoder: str) -> None:
    try:
        __import__({"decord": "decord", "opencv": "cv2"}.get(decoder, "av"))
    except ImportError as error:
        pytest.skip(f"{decoder}: {error}")


@pytest.fixture
def prefer_decord(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make decord the choice wherever it is right, also on a machine on which it is slow."""
    require("decord")
    monkeypatch.setattr(opening, "MAX_SLOWDOWN", math.inf)
    monkeypatch.setattr(opening, "MAX_SLOWDOWN_OTHERS", math.inf)


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


@pytest.mark.parametrize(
    ("decord_s", "difference", "taken"),
    [(0.005, 0.0, "decord"), (0.009, 0.0, "pyav"), (0.009, 0.3, "decord"), (0.07, 0.3, "pyav")],
)
def test_of_two_decoders_with_equal_frames_the_faster_one_reads(
    tmp_path: Path, decord_s: float, difference: float, taken: str
) -> None:
    path = write_stamped(tmp_path / "video.mp4", 10)
    measured = replace(
        check_file(path),
        problems={"pyav": "", "decord": ""},
        seek_s={"pyav": 0.005, "decord": decord_s},
        difference={"decord": difference},
    )
    file_check.keep_check(path, measured)
    assert open_video(path).decoder == taken


@pytest.mark.usefixtures("prefer_decord")
def test_constant_rate_h264_is_right_in_decord(tmp_path: Path) -> None:
    path = write_stamped(tmp_path / "video.mp4", 10)
    assert open_video(path).decoder == "decord"
    assert check_file(path).difference["decord"] < 1


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


# --- decord in its own process ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("prefer_decord")
def test_a_hanging_decoder_is_ended_and_pyav_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_stamped(tmp_path / "video.mp4", 20)
    reader = open_video(path)
    assert read_stamp(reader.read([3])[0]) == 3
    assert reader.decoder == "decord"
    monkeypatch.setattr(decord_process, "FRAME_LIMIT_S", 0.2)
    os.kill(decord_process._server()._process.pid, signal.SIGSTOP)
    assert [read_stamp(frame) for frame in reader.read([5, 4])] == [5, 4]
    assert reader.decoder == "pyav"
    assert "no answer within" in check_file(path).problems["decord"]
    assert open_video(path).decoder == "pyav"


def test_a_hang_inside_of_the_decoder_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("decord")
    monkeypatch.setattr(decord_process, "FRAME_LIMIT_S", 0.2)
    os.mkfifo(tmp_path / "waits.mp4")
    with pytest.raises(VideoReadError, match=r"waits.mp4: decord (hung or crashed|gave no answer)"):
        DecordReader(tmp_path / "waits.mp4")


@pytest.mark.usefixtures("prefer_decord")
def test_a_crash_over_one_file_costs_the_others_nothing(tmp_path: Path) -> None:
    readers = [open_video(write_stamped(tmp_path / f"{name}.mp4", 20 + name)) for name in range(2)]
    assert [read_stamp(reader.read([7])[0]) for reader in readers] == [7, 7]
    os.kill(decord_process._server()._process.pid, signal.SIGKILL)
    assert [read_stamp(reader.read([9])[0]) for reader in readers] == [9, 9]
    assert [reader.decoder for reader in readers] == ["pyav", "decord"]


@pytest.mark.usefixtures("prefer_decord")
def test_the_decoding_process_is_replaced_after_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_video(write_stamped(tmp_path / "a.mp4", 20))
    assert read_stamp(first.read([7])[0]) == 7
    before = decord_process._server()
    monkeypatch.setattr(decord_process, "MAX_OPENS", 1)
    second = open_video(write_stamped(tmp_path / "b.mp4", 21))
    assert read_stamp(second.read([8])[0]) == 8
    assert not before.is_alive
    assert read_stamp(first.read([9])[0]) == 9
    assert first.decoder == "decord"


def read_elsewhere(reader: VideoReader, answers: multiprocessing.connection.Connection) -> None:
    answers.send([read_stamp(frame) for frame in reader.read([11, 3])])
    reader.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_open_reader_works_in_another_process(tmp_path: Path, method: str) -> None:
    readers = [
        open_video(write_stamped(tmp_path / "steady.mp4", 20)),
        open_video(write_stamped(tmp_path / "vfr.mp4", 20, steps=(1, 3))),
    ]
    context = multiprocessing.get_context(method)
    for reader in readers:
        assert read_stamp(reader.read([5])[0]) == 5
        here, there = context.Pipe()
        process = context.Process(target=read_elsewhere, args=(reader, there), daemon=True)
        process.start()
        assert here.poll(30), "no answer"
        assert here.recv() == [11, 3]
        process.join(30)
        # a forked copy of this process also ends what others left open in it, which may fail by itself
        assert process.exitcode == 0 or method == "fork"
        assert read_stamp(reader.read([6])[0]) == 6


# --- what is known of a file ------------------------------------------------------------------------------------------


def test_a_file_is_looked_at_once_for_each_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))
    path = write_stamped(tmp_path / "video.mp4", 20)
    open_video(path)
    assert len(list((tmp_path / "cache/videos").iterdir())) == 1
    file_check._in_memory.clear()
    with monkeypatch.context() as patch:
        patch.setattr(check, "_look", lambda path: pytest.fail("looked at again"))
        patch.setattr(check, "_compared", lambda *args: pytest.fail("compared again"))
        assert open_video(path).num_frames == 20
    write_stamped(path, 30)
    assert open_video(path).num_frames == 30


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


def test_samples_are_few_and_cheap_however_large_the_frames_are(tmp_path: Path) -> None:
    path = write_stamped(tmp_path / "video.mp4", 600, gop=250)
    scan = scan_video(path)
    assert len(check._samples(scan, 600)) == 16
    large = replace(scan, size=(1080, 1920))
    samples = check._samples(large, 600)
    cost = sum(number - max(key for key in scan.key_indices if key <= number) + 1 for number in samples)
    assert len(samples) > 3
    assert cost * 1080 * 1920 <= check.MAX_SAMPLED_PIXELS


def test_unknown_decoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RobosslError, match="decoder='vlc' is not known, allowed are auto, decord, pyav, opencv"):
        open_video(tmp_path / "video.mp4", decoder="vlc")


def test_an_extra_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_stamped(tmp_path / "video.mp4", 20)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    text = r"decoder 'torchcodec' is not usable here \(torchcodec is not installed; pip install 'robossl\[torchcodec\]'"
    with pytest.raises(RobosslError, match=text):
        open_video(path, decoder="torchcodec")


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
