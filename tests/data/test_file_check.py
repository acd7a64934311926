"""A file is looked at once, cheaply, and the faster one of the decoders that are right reads it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from decoders import prefer_decord  # noqa: F401
from recordings import write_stamped

from robossl.data.video import check, file_check, open_video
from robossl.data.video.check import check_decoder, check_file
from robossl.data.video.scan import scan_video
from robossl.errors import RobosslError


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


@pytest.mark.parametrize(("limit_s", "num_compared"), [(0.0, 8), (60.0, 16)])
def test_a_slow_decoder_is_judged_by_fewer_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_s: float, num_compared: int
) -> None:
    path = write_stamped(tmp_path / "video.mp4", 40)
    check_file(path)
    read: list[int] = []
    timed = check._timed
    monkeypatch.setattr(check, "CHECK_LIMIT_S", limit_s)
    monkeypatch.setattr(check, "_timed", lambda one, number, into: (read.append(number), timed(one, number, into))[1])
    assert check_decoder(path, "opencv") == ""
    assert len(read) == 2 * num_compared  # by PyAV and by OpenCV
    assert len(set(read)) == num_compared
