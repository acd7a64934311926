"""Check that every frame of every video below a folder is right, through each decoder that is admitted for the file.

    python tools/check_video.py FOLDER [--clips 5000]

Frames are read in random order, one by one, and compared with those that FFmpeg gives in sequence from the start.
Prints one line a file, the longest call, and how much memory random clips of the first file add to both processes.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np

from robossl.data.video import VideoReadError, open_video
from robossl.data.video.check import MAX_MEAN_DIFFERENCE, check_decoder
from robossl.data.video.decord_process import _server
from robossl.data.video.scan import display_matrix, upright, video_stream
from robossl.data.video_folder import video_files

CLIP_FRAMES = 4


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
    longest_s, wrong, start_s = 0.0, 0, time.perf_counter()
    reader = open_video(path, decoder=decoder, damaged="keep_prefix")
    longest_s = time.perf_counter() - start_s
    truth = list(in_sequence(path, reader.num_frames))
    for number in np.random.default_rng(0).permutation(reader.num_frames):
        start_s = time.perf_counter()
        frame = small(reader.read([number])[0])
        longest_s = max(longest_s, time.perf_counter() - start_s)
        wrong += frame.shape != truth[number].shape or bool(
            np.abs(frame.astype(int) - truth[number]).mean() > MAX_MEAN_DIFFERENCE
        )
    reader.close()
    return len(truth), wrong, longest_s


def resident_mb() -> float:
    """Return the memory of this process and of the one that runs decord [MB]."""
    pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in ("self", _server()._process.pid)]
    return sum(int(count) for count in pages) * 4096 / 2**20


def memory_growth_mb(path: Path, clips: int) -> float:
    """Return by how much memory grows from the first tenth of the clips to the last."""
    reader, rng, before = open_video(path), np.random.default_rng(0), 0.0
    for number in range(clips):
        reader.read(rng.integers(0, reader.num_frames, size=CLIP_FRAMES))
        if number == clips // 10:
            before = resident_mb()
    return resident_mb() - before


def main() -> None:
    """Check all files and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=0, help="random clips for the measurement of memory")
    parser.add_argument("--decoders", nargs="+", default=["pyav", "decord", "opencv"], help="also torchcodec")
    options = parser.parse_args()
    frames = wrong = 0
    longest_s = 0.0
    files = video_files(options.folder)
    for path in files:
        try:
            decoders = [name for name in options.decoders if not check_decoder(path, name)]
        except VideoReadError as error:
            print(f"{path.name}: refused, {error.reason}")
            continue
        for decoder in decoders:
            found = check(path, decoder)
            frames, wrong, longest_s = frames + found[0], wrong + found[1], max(longest_s, found[2])
            line = f"{path.name}: {decoder}, {found[0]} frames, {found[1]} wrong, longest call {found[2]:.2f} s"
            print(line, flush=True)
    print(f"all: {frames} frames, {wrong} wrong, longest call {longest_s:.2f} s")
    if options.clips:
        print(f"memory after {options.clips} clips: {memory_growth_mb(files[0], options.clips):+.1f} MB")


if __name__ == "__main__":
    main()
