"""Check a file once: what it holds, whether it is damaged, and which decoders tell the truth about it."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import RLock

import av
import numpy as np

from robossl.data.video.decord_process import DecordReader
from robossl.data.video.file_check import FileCheck, keep_check, known_check
from robossl.data.video.image_folder import ImageFolderReader
from robossl.data.video.opencv_reader import OpenCVReader
from robossl.data.video.pyav_reader import PyAVReader
from robossl.data.video.reader import Decoder
from robossl.data.video.scan import VideoScan, display_matrix, is_mirrored, scan_video
from robossl.data.video.torchcodec_reader import TorchCodecReader
from robossl.errors import VideoReadError

# decord 0.6 was measured right on these, and silently wrong on random access in variable-rate files, program streams
# and HEVC with frames that are shown before their key frame (19 of 100 off by two, between the sampled ones)
DECORD_CONTAINERS = ("mp4", "matroska")
DECORD_CODECS = ("h264", "vp8", "vp9")
# other decoders hide damage that PyAV reports, so a file up to this size is decoded once before they get it (some
# 0.2 s); in a larger one, damage between the sampled frames may show as a garbled frame until `robossl doctor` looks
MAX_DECODED_PIXELS = 50_000_000
MAX_SAMPLED_PIXELS = 100_000_000  # decoded to get at the sampled frames: about a second
NUM_SAMPLES, MIN_SAMPLES = 16, 8
CHECK_LIMIT_S = 3.0
"""A decoder that took so long for `MIN_SAMPLES` frames is judged by them."""
MAX_MEAN_DIFFERENCE = 4.0  # grey levels between two decoders' colour conversions; another frame differs by more
_OPENERS: dict[str, Callable[[Path], Decoder]] = {
    "decord": DecordReader,
    "images": ImageFolderReader,
    "opencv": OpenCVReader,
    "pyav": PyAVReader,
    "torchcodec": TorchCodecReader,
}
_locks: dict[Path, RLock] = defaultdict(RLock)
"""Of several threads that want a file, one looks at it."""


def open_decoder(name: str, path: Path) -> Decoder:
    """Open a file with one decoder.

    Raises:
        ImportError: the decoder is not installed.
        VideoReadError: it can't open the file.
    """
    return _OPENERS[name](path)


def check_file(path: Path) -> FileCheck:
    """Return what is known of a file; it is looked at once, and again when its content changes.

    Count, order and times come from the packets, damage from decoding a small file as a whole or at most 16 frames of a
    large one. The result is kept in `$ROBOSSL_CACHE/videos`, named by the content.

    Raises:
        VideoReadError: it can't be opened, or holds no frame.
        DecoderNotFoundError: PyAV has no decoder for it.
    """
    with _locks[path]:
        return known_check(path) or keep_check(path, _look(path))


def check_decoder(path: Path, decoder: str) -> str:
    """Return why a decoder is not used for a file, or an empty text; found out once for each content.

    Raises:
        ImportError: the decoder is not installed.
        VideoReadError: as `check_file`.
    """
    with _locks[path]:
        known = check_file(path)
        if decoder not in known.problems:
            known = keep_check(path, _compared(path, decoder, known))
        return known.problems[decoder]


def check_every_frame(path: Path) -> FileCheck:
    """Decode a whole file and return what is known of it then; damage that samples had missed rules other decoders out.

    Raises:
        VideoReadError: as `check_file`.
    """
    known = check_file(path)
    if known.every_frame:
        return known
    oracle = PyAVReader(path)
    num_frames, damage = oracle.whole_prefix()
    oracle.close()
    problems = {n: "other decoders hide its damage" if damage and n != "pyav" else p for n, p in known.problems.items()}
    return keep_check(path, replace(known, num_frames=num_frames, damage=damage, every_frame=True, problems=problems))


def distrust(path: Path, decoder: str, problem: str) -> None:
    """Never again use a decoder for a file: it failed while reading."""
    known = check_file(path)
    keep_check(path, replace(known, problems=known.problems | {decoder: problem}))


def _look(path: Path) -> FileCheck:
    scan = scan_video(path)
    oracle = PyAVReader(path)
    try:
        num_frames, damage, every_frame = oracle.num_frames, oracle.damage, oracle.times_were_counted
        small = num_frames * scan.size[0] * scan.size[1] <= MAX_DECODED_PIXELS
        if not every_frame and (small or _is_damaged(oracle, scan)):
            (num_frames, damage), every_frame = oracle.whole_prefix(), True
        if not damage and scan.num_packets < scan.num_promised:
            damage = f"cut off: its header says {scan.num_promised} frames, its data ends after {scan.num_packets}"
        return FileCheck(
            num_frames=num_frames,
            num_promised=max(oracle.num_frames, scan.num_promised),
            fps_hz=scan.fps_hz,
            damage=damage,
            every_frame=every_frame,
            problems={"pyav": ""},
        )
    finally:
        oracle.close()


def _is_damaged(oracle: PyAVReader, scan: VideoScan) -> bool:
    try:
        oracle.read(_samples(scan, oracle.num_frames))
    except VideoReadError:
        return True
    return False


def _compared(path: Path, decoder: str, known: FileCheck) -> FileCheck:
    """Add why a decoder is not used, or an empty text, how long a seek takes it and PyAV, and how its frames differ."""
    if problem := _ruled_out(path, decoder, known):
        return replace(known, problems=known.problems | {decoder: problem})
    times_s: dict[str, list[float]] = {"pyav": [], decoder: []}
    problem, difference = "", 0.0
    try:
        with closing(PyAVReader(path)) as oracle, closing(_opened_whole(path, decoder, known.num_frames)) as reader:
            for number in _order(scan_video(path), known.num_frames):
                expected, image = _timed(oracle, number, times_s["pyav"]), _timed(reader, number, times_s[decoder])
                if image.shape != expected.shape:
                    problem = f"{decoder}'s frames have the shape {image.shape}, expected {expected.shape}"
                    break
                difference = max(difference, float(np.abs(image.astype(np.int16) - expected).mean()))
                if difference > MAX_MEAN_DIFFERENCE:
                    problem = f"{decoder}'s frame {number} differs"
                if problem or (len(times_s["pyav"]) >= MIN_SAMPLES and sum(times_s[decoder]) > CHECK_LIMIT_S):
                    break
    except VideoReadError as error:
        return replace(known, problems=known.problems | {decoder: error.reason})
    return replace(
        known,
        problems=known.problems | {decoder: problem},
        # the median, which a busy machine moves least
        seek_s=known.seek_s | {name: statistics.median(found) for name, found in times_s.items()},
        difference=known.difference | {decoder: difference},
    )


def _ruled_out(path: Path, decoder: str, known: FileCheck) -> str:
    """Return why a decoder is not even tried, or an empty text."""
    if known.damage:
        return "other decoders hide its damage"
    if decoder == "decord" and (problem := _decord_problem(scan_video(path))):
        return problem
    return f"{decoder} loses the mirror of its display matrix" if _first_frame_is_mirrored(path) else ""


def _opened_whole(path: Path, decoder: str, num_frames: int) -> Decoder:
    reader = open_decoder(decoder, path)
    if reader.num_frames != num_frames:
        reader.close()
        raise VideoReadError(path, f"{decoder} counts {reader.num_frames} frames, the file has {num_frames}")
    return reader


def _order(scan: VideoScan, num_frames: int) -> list[int]:
    """Return the sampled frames out of order, forth and back: where decoders go wrong."""
    return np.random.default_rng(0).permutation(_samples(scan, num_frames)[::-1]).tolist()


def _timed(reader: Decoder, number: int, times_s: list[float]) -> np.ndarray:
    """Read a frame [C,H,W] and add how long that took."""
    start_s = time.perf_counter()
    image = reader.read([number])[0]
    times_s.append(time.perf_counter() - start_s)
    return image


def _decord_problem(scan: VideoScan) -> str:
    """Return why decord is known to be wrong on files of this kind, or an empty text."""
    if not any(name in scan.container for name in DECORD_CONTAINERS):
        return f"containers like {scan.container} are not safe in decord"
    if scan.codec not in DECORD_CODECS:
        return f"decord has no safe decoder for {scan.codec}"
    if scan.times is None or not scan.constant_rate:
        return "decord returns wrong frames where the frame rate varies"
    if scan.num_video_streams > 1:
        return "decord picks another one of several video streams"
    return ""


def _samples(scan: VideoScan, num_frames: int) -> list[int]:
    """Return at most 16 frames: first, last and others, near a key frame where the way to them would be too long."""
    rng = np.random.default_rng(num_frames)
    inner = rng.choice(num_frames, size=min(num_frames, NUM_SAMPLES), replace=False).tolist()
    left = max(1, MAX_SAMPLED_PIXELS // max(1, scan.size[0] * scan.size[1]))
    chosen: list[int] = []
    for number in dict.fromkeys([0, num_frames - 1, num_frames // 2, *inner]):
        place = int(np.searchsorted(scan.key_indices, number, side="right")) - 1
        key = int(scan.key_indices[place]) if place >= 0 else 0
        if number - key + 1 > left // 2 and chosen:
            number = key + number % 4 if key + number % 4 < num_frames else key
        if number - key < left and len(chosen) < NUM_SAMPLES:
            chosen.append(number)
            left -= number - key + 1
    return sorted(set(chosen))


def _first_frame_is_mirrored(path: Path) -> bool:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0), None)
        return frame is not None and is_mirrored(display_matrix(frame))
