"""Check that every frame of every video below a folder is right, through each decoder that is admitted for the file.

    python tools/check_video.py FOLDER [--make] [--clips 5000]

Frames are read in random order, one by one, and compared with those that FFmpeg gives in sequence from the start. With
`--make` clips with their number burnt in are written into FOLDER/made first: key frames every 1, 12 and 250 frames,
B-frames, a varying rate, cut off, corrupt, six codecs. Prints one line a file, the longest call, and how much memory
random clips add to this process and those that it started. Exit code 0: all right, no call of more than 5 s, less than
20 MB more.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from robossl.data.video import VideoReadError, open_video
from robossl.data.video.check import MAX_MEAN_DIFFERENCE, check_decoder, check_file
from robossl.data.video.scan import display_matrix, upright, video_stream
from robossl.data.video_folder import video_files

CLIP_FRAMES = 4
LIMIT_S, LIMIT_MB = 5.0, 20.0
CLIPS_A_FILE = 100
"""Random clips before the next file is opened."""


def make_clips(folder: Path) -> None:
    """Write stamped clips of every kind that the tests know."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from recordings import write_stamped

    folder.mkdir(parents=True, exist_ok=True)
    for gop, b_frames in ((1, 0), (12, 0), (12, 2), (250, 0), (250, 3)):
        write_stamped(folder / f"gop{gop}_b{b_frames}.mp4", 300, gop=gop, b_frames=b_frames)
    write_stamped(folder / "vfr.mp4", 100, b_frames=2, steps=(1, 3, 1, 7))
    write_stamped(folder / "late.mkv", 100, start=50)
    for name in ("libx265.mp4", "libvpx-vp9.webm", "libsvtav1.mp4", "mpeg4.mp4", "mjpeg.avi", "libx264.ts"):
        write_stamped(folder / name, 100, codec=name.partition(".")[0], gop=12, b_frames=2)
    content = (folder / "gop12_b2.mp4").read_bytes()
    start = content.index(b"mdat") + len(content) // 3
    (folder / "corrupt.mp4").write_bytes(content[:start] + bytes(2000) + content[start + 2000 :])
    whole = write_stamped(folder / "cut.mp4", 300, muxer={"movflags": "+faststart"})
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 7 // 10])


def in_sequence(path: Path, num_frames: int) -> Iterator[np.ndarray]:
    """Yield small copies [3, h, w] of the frames as FFmpeg gives them."""
    with av.open(str(path)) as container:
        for frame in islice(container.decode(video_stream(container, path)), num_frames):
            yield small(upright(frame.to_ndarray(format="rgb24"), display_matrix(frame)).transpose(2, 0, 1))


def small(frame: np.ndarray) -> np.ndarray:
    """Return every fourth row and column, so that all frames of a file fit in memory."""
    return frame[:, ::4, ::4].copy()


def check(path: Path, decoder: str) -> tuple[int, int, float]:
    """Return frames, wrong frames, and the seconds of the longest call."""
    wrong = 0
    reader, longest_s = timed(lambda: open_video(path, decoder=decoder, damaged="keep_prefix"))
    truth = list(in_sequence(path, reader.num_frames))
    for number in np.random.default_rng(0).permutation(reader.num_frames):
        frames, seconds = timed(reader.read, [number])
        frame, longest_s = small(frames[0]), max(longest_s, seconds)
        wrong += frame.shape != truth[number].shape or bool(
            np.abs(frame.astype(int) - truth[number]).mean() > MAX_MEAN_DIFFERENCE
        )
    reader.close()
    return len(truth), wrong, longest_s


def timed(call: Callable[..., Any], *args: Any) -> tuple[Any, float]:
    """Return what a call returns, and the seconds until then."""
    start_s = time.perf_counter()
    return call(*args), time.perf_counter() - start_s


def resident_mb(pid: int | str = "self") -> float:
    """Return the memory of a process and of all that it started, such as the one that runs decord [MB]."""
    own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    children = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return own + sum(resident_mb(child) for found in children for child in found)


def memory_growth_mb(files: list[Path], decoder: str, clips: int) -> float:
    """Return by how much memory grows from the first tenth of the clips to the last, while files are opened in turn."""
    rng, before = np.random.default_rng(0), 0.0
    for number in range(clips):
        if number % CLIPS_A_FILE == 0:
            reader = open_video(files[number // CLIPS_A_FILE % len(files)], decoder=decoder)
        reader.read(rng.integers(0, reader.num_frames, size=CLIP_FRAMES))
        if number % CLIPS_A_FILE == CLIPS_A_FILE - 1:
            reader.close()
        if number == clips // 10:
            before = resident_mb()
    return resident_mb() - before


def main() -> int:
    """Check all files and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--make", action="store_true", help="write clips of every kind into FOLDER/made first")
    parser.add_argument("--clips", type=int, default=0, help="random clips for the measurement of memory")
    parser.add_argument("--decoders", nargs="+", default=["pyav", "decord", "opencv"], help="also torchcodec")
    options = parser.parse_args()
    if options.make:
        make_clips(options.folder / "made")
    frames, wrong, longest_s, growths = 0, 0, 0.0, [0.0]
    admitted: dict[str, list[Path]] = {name: [] for name in options.decoders}
    for path in video_files(options.folder):
        try:
            problems, times_s = zip(*(timed(check_decoder, path, name) for name in options.decoders), strict=True)
        except VideoReadError as error:
            print(f"{path.name}: refused, {error.reason}")
            continue
        longest_s = max(longest_s, *times_s)
        decoders = [name for name, problem in zip(options.decoders, problems, strict=True) if not problem]
        is_whole = not check_file(path).damage
        for decoder in decoders:
            found = check(path, decoder)
            frames, wrong, longest_s = frames + found[0], wrong + found[1], max(longest_s, found[2])
            line = f"{path.name}: {decoder}, {found[0]} frames, {found[1]} wrong, longest call {found[2]:.2f} s"
            print(line, flush=True)
            admitted[decoder] += [path] if is_whole else []
    print(f"all: {frames} frames, {wrong} wrong, longest call {longest_s:.2f} s")
    for decoder, files in admitted.items() if options.clips else ():
        growths.append(memory_growth_mb(files, decoder, options.clips))
        line = f"{growths[-1]:+.1f} MB over {options.clips} random clips of {len(files)} files"
        print(f"memory with {decoder}: {line}", flush=True)
    return int(bool(wrong) or longest_s > LIMIT_S or max(growths) > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
