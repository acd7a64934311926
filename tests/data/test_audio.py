"""The sound of a video lies on the clock of its frames, to the sample."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from footage_of import moving, scene, write

from robossl.data.sources import VideoFolder
from robossl.data.video import open_video
from robossl.data.video.audio import has_audio, read_audio
from robossl.errors import DataError, VideoReadError

FPS_HZ, NUM = 20, 80
FLASHES = (15, 40, 63)
"""Frames that are white; a click sounds when each appears."""


def clicks(rate_hz: int, *, num_s: float = NUM / FPS_HZ) -> np.ndarray:
    """Sound of two channels, int16 [2, n]: the click is twice as loud on the left, a quiet tone on the right."""
    sound = np.zeros((2, round(num_s * rate_hz)), dtype=np.int16)
    sound[1] = 2000 * np.sin(2 * np.pi * 440 * np.arange(sound.shape[1]) / rate_hz)
    for frame in FLASHES:
        place = frame * rate_hz // FPS_HZ
        sound[:, place : place + rate_hz // 500] = np.array([[20000], [10000]])[:, :, None][:, 0]
    return sound


def record(
    path: Path,
    *,
    rate_hz: int = 48_000,
    codec: str = "pcm_s16le",
    sound: np.ndarray | None = None,
    video_s: float = 0.0,
    audio_s: float = 0.0,
    keep: slice = slice(None),
) -> Path:
    """Write a video that flashes and clicks; video and audio begin at these times of the container."""
    sound = clicks(rate_hz) if sound is None else sound
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS_HZ, options={"bf": "2", "threads": "1"})
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        audio = container.add_stream(codec, rate=rate_hz, layout="stereo")
        audio.time_base = Fraction(1, rate_hz)
        for number, picture in enumerate(scene(0, moving(NUM))):
            frame = av.VideoFrame.from_ndarray(
                np.full_like(picture, 255) if number in FLASHES else picture, format="rgb24"
            )
            frame.pts, frame.time_base = number + round(video_s * FPS_HZ), Fraction(1, FPS_HZ)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        resampler = av.AudioResampler(format=audio.format, layout="stereo", rate=rate_hz)
        for start in range(keep.start or 0, min(keep.stop or sound.shape[1], sound.shape[1]), 1024):
            block = np.ascontiguousarray(sound[:, start : start + 1024].T.reshape(1, -1))
            part = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
            part.sample_rate, part.time_base = rate_hz, Fraction(1, rate_hz)
            part.pts = start + round(audio_s * rate_hz)
            for converted in resampler.resample(part):
                container.mux(audio.encode(converted))
        container.mux(audio.encode(None))
    return path


def onsets(sound: np.ndarray, *, level: float = 0.2) -> np.ndarray:
    """Places where it becomes loud after it was not for 10 ms."""
    loud = np.flatnonzero(np.abs(sound) > level)
    return loud[np.diff(loud, prepend=-1000) > 160]


def flashes(path: Path) -> np.ndarray:
    """Times of the white frames [s]."""
    reader = open_video(path)
    bright = reader.read(range(reader.num_frames)).mean(axis=(1, 2, 3)) > 220
    return reader.times_s[bright]


@pytest.mark.parametrize(
    ("name", "how", "tolerance"),
    [
        ("plain.mov", {}, 1),
        ("cd.mov", {"rate_hz": 44_100}, 1),
        ("odd.mov", {"rate_hz": 11_025}, 2),  # a sample lasts longer than one of the answer
        ("late.mov", {"video_s": 1.0, "audio_s": 1.0}, 1),
        ("aac.mp4", {"codec": "aac", "rate_hz": 44_100}, 6),  # which blurs a click
        ("flac.mkv", {"codec": "flac", "rate_hz": 44_100}, 16),  # its clock counts milliseconds
        ("late.mkv", {"codec": "flac", "video_s": 1.5, "audio_s": 1.5}, 16),
    ],
)
def test_clicks_sound_when_the_picture_flashes(tmp_path: Path, name: str, how: dict, tolerance: int) -> None:
    path = record(tmp_path / name, **how)
    sound = read_audio(path, 0.0, NUM / FPS_HZ)
    assert sound.dtype == np.float32
    assert sound.shape == (64_000,)
    shown = flashes(path) * 16_000
    assert len(shown) == 3
    assert np.abs(onsets(sound) - shown).max() <= tolerance
    click = slice(int(shown[0]) + 6, int(shown[0]) + 26)
    assert np.median(sound[click]) == pytest.approx(15_000 / 32_768, abs=0.08), "the mean of both channels"


@pytest.mark.parametrize(
    ("name", "codec", "tolerance"),
    [("a.mov", "pcm_s16le", 1e-5), ("a.mp4", "aac", 0.02)],  # AAC fills bands with noise that its decoder draws
)
def test_any_piece_is_that_of_the_whole(tmp_path: Path, name: str, codec: str, tolerance: float) -> None:
    path = record(tmp_path / name, rate_hz=44_100, codec=codec)
    whole = read_audio(path, 0.0, 4.0)
    for start in (0, 12_345, 31_999, 60_000):
        piece = read_audio(path, start / 16_000, (start + 3_210) / 16_000)
        assert np.abs(piece - whole[start : start + 3_210]).max() < tolerance
    joined = np.concatenate([read_audio(path, k / 10, (k + 1) / 10) for k in range(40)])
    assert np.abs(joined - whole).max() < tolerance


def test_where_there_is_no_sound_there_is_silence(tmp_path: Path) -> None:
    begins = record(tmp_path / "begins.mov", audio_s=0.0, keep=slice(48_000, None))
    sound = read_audio(begins, -0.5, 4.5)
    assert sound.shape == (80_000,)
    assert np.abs(sound[: 8_000 + 16_000 - 8]).max() < 1e-3, "before the video, and before the sound begins"
    assert (onsets(sound) - 8_000 - np.array([32_000, 50_400])).tolist() == pytest.approx([0, 0], abs=1)
    ends = record(tmp_path / "ends.mov", keep=slice(0, 60 * 1024))
    sound = read_audio(ends, 0.0, 4.0)
    stop = 60 * 1024 // 3
    assert np.abs(sound[stop + 8 :]).max() < 1e-3
    assert np.abs(sound[stop - 400 : stop - 8]).max() > 0.02
    assert np.array_equal(read_audio(ends, 10.0, 10.1), np.zeros(1_600, dtype=np.float32))
    assert read_audio(ends, 1.0, 1.0).shape == (0,)


def test_the_rate_is_the_one_asked_for_and_nothing_aliases(tmp_path: Path) -> None:
    time = np.arange(4 * 48_000) / 48_000
    tones = 8000 * np.sin(2 * np.pi * 1000 * time) + 8000 * np.sin(2 * np.pi * 15_000 * time)
    path = record(tmp_path / "tones.mov", sound=np.stack([tones, tones]).astype(np.int16))
    expected = 8000 / 32_768 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000 + 2 * np.pi * 1000)
    assert np.abs(read_audio(path, 1.0, 2.0) - expected).max() < 0.01
    assert read_audio(path, 1.0, 2.0, rate_hz=48_000) == pytest.approx(tones[48_000:96_000] / 32_768, abs=1e-3)
    assert read_audio(path, 0.0, 1.0, rate_hz=22_050).shape == (22_050,)


def test_a_source_gives_the_sound_of_a_clip(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = record(tmp_path / "in/a.mov")
    write(tmp_path / "in/mute.mp4", scene(1, moving(10)))
    source = VideoFolder(tmp_path / "in", shots="split")
    assert [source.has_audio(episode) for episode in range(2)] == [True, False]
    clip = source.audio(0, [14, 16, 18])
    assert clip.shape == (4_000,), "from the first frame until the last one has ended"
    assert np.array_equal(clip, read_audio(path, 0.7, 0.95))
    assert abs(int(onsets(clip)[0]) - 800) <= 1
    assert {source.audio(0, [k, k + 1], rate_hz=22_050).shape for k in range(0, 70, 7)} == {(2_205,)}
    with pytest.raises(VideoReadError, match=r"mute.mp4: it has no audio stream; `has_audio` tells before"):
        source.audio(1, [0])
    with pytest.raises(DataError, match="the episode has frames 0 to 79"):
        source.audio(0, [80])


def test_what_has_no_sound_is_said_in_one_line(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mov")
    with pytest.raises(VideoReadError, match=r"no sound lies between 2.0 and 1.0 s"):
        read_audio(path, 2.0, 1.0)
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    with pytest.raises(VideoReadError, match="can't be opened"):
        has_audio(tmp_path / "no.mp4")
