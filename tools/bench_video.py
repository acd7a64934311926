"""Clips a second out of videos, side by side with lerobot 0.4.4, decord and ffmpeg on the same files.

    python tools/bench_video.py --venv DIR [--seconds 6] [--rounds 3] [--json]

The files are made by it: ten of 96 px with a key frame every second frame, as a LeRobot v3 data set, and ten of 480p
with one every 250 frames (drifting texture and camera noise, H.264). Every row is measured once in each round, so that
whatever else the machine does meets all of them; the median of the rounds is reported. lerobot lives in a virtual
environment of its own, DIR (see tools/check_lerobot.py); ffmpeg is the one on the path, else that of the environment.
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from robossl.data.clip_dataset import ClipDataset, ClipLoader
from robossl.data.clip_sampling import Window, sequence_window
from robossl.data.frame_cache import CachedSource
from robossl.data.lerobot import EpisodeWriter
from robossl.data.reading_speed import ceiling_frames_per_s
from robossl.data.sampler import BatchSampler
from robossl.data.sources import LeRobotSource, VideoFolder
from robossl.data.stream import StreamedClips
from robossl.data.video import encode_video
from robossl.training.prefetch import Prefetcher

NUM_FILES, SIZE, BATCH, WORKERS = 10, 96, 64, 2  # a batch of the default recipe
NUM_STEPS = 1_000_000  # more than are read
FPS_HZ, EPISODE_FRAMES = 10, 2510  # longer than half of what one file of a data set may last: a file an episode
LONG_FRAMES, LONG_GOP = 1000, 250
WINDOW: Window = sequence_window(num_context=3, horizons=(1,))
"""Four frames in a row."""
BARS = (
    # what, row, divided by, at least
    ("random clips from video", "robossl, from video, torch's loader", "lerobot 0.4.4, from video", 3.0),
    ("streamed from video", "robossl, streamed 96 px", "lerobot 0.4.4, from video", 3.0),
    ("from the frame cache", "robossl, from the frame cache", "lerobot 0.4.4, from video", 20.0),
    ("streamed 480p", "robossl, streamed 480p", "decord, random 480p", 12.0),
    ("streamed 480p", "robossl, streamed 480p, frames", "ffmpeg -f null 480p, frames", 0.8),
)
LEROBOT = """
import sys, time, torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
root, seconds, batch, workers, key = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
fps = int(sys.argv[6])
times = {key: [k / fps for k in range(4)]}
data = LeRobotDataset("local/bench", root=root, video_backend="pyav", delta_timestamps=times)
loader = torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True, num_workers=workers)
batches = iter(loader)
next(batches)
count, start = 0, time.perf_counter()
while time.perf_counter() - start < seconds:
    count += len(next(batches)[key])
print(count / (time.perf_counter() - start))
"""


def main() -> int:
    """Measure, print the table and the bars; exit code 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, required=True, help="lerobot's environment")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each row in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=Path, help="where the files are or will be; by default a temporary folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-video-") as temporary:
        os.environ.setdefault("ROBOSSL_CACHE", temporary + "/cache")
        files = options.files or Path(temporary)
        make_files(files)
        rows = measure(files, options.venv, seconds=options.seconds, rounds=options.rounds)
    rates = {name: statistics.median(found) for name, found in rows.items()}
    bars = [(what, rates[row] / rates[other], at_least) for what, row, other, at_least in BARS]
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    if options.json:
        print(json.dumps({"rows": rows, "bars": bars, "note": load}, indent=2))
    else:
        print("| row | a second | all rounds |\n|---|---|---|")
        for name, rate in rates.items():
            print(f"| {name} | {rate:,.0f} | {', '.join(f'{one:,.0f}' for one in rows[name])} |")
        for (what, ratio, at_least), (_, _, other, _) in zip(bars, BARS, strict=True):
            print(f"{what}: {ratio:.2f} times {other}, at least {at_least:g}: {'yes' if ratio >= at_least else 'NO'}")
        print(load)
    return int(any(ratio < at_least for _, ratio, at_least in bars))


def make_files(root: Path) -> None:
    """Write the files that are not there."""
    if not (root / "set/meta/info.json").is_file():
        with EpisodeWriter(root / "set", fps_hz=FPS_HZ) as writer:
            for number in range(NUM_FILES):
                writer.append_rows(
                    frames={"front": scene(number, SIZE, SIZE, EPISODE_FRAMES)},
                    sizes={"front": (SIZE, SIZE)},
                    columns={"action": np.zeros((EPISODE_FRAMES, 2), dtype=np.float32)},
                    task="look",
                    extras={},
                )
    (root / "long").mkdir(exist_ok=True)
    for number in range(NUM_FILES):
        path = root / f"long/{number}.mp4"
        if not path.is_file():
            partial = path.with_name(f".{number}.mp4")
            encode_video(partial, scene(number, 480, 640, LONG_FRAMES), fps_hz=30, gop=LONG_GOP, crf=23)
            partial.rename(path)


def scene(seed: int, height: int, width: int, num_frames: int) -> Iterator[np.ndarray]:
    """Yield frames: a texture that drifts, a block that moves across it, and the noise of a camera."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 210, (height // 8, 2 * width // 8, 3))
    texture = np.kron(coarse, np.ones((8, 8, 1), dtype=np.int64)).astype(np.int16)
    noise = rng.normal(0, 3, (8, height, width, 3)).astype(np.int16)
    side = height // 5
    for number in range(num_frames):
        place = number % width
        frame = texture[:, place : place + width] + noise[rng.integers(8)]
        row, column = (number * 3) % (height - side), (number * 5) % (width - side)
        frame[row : row + side, column : column + side] = (220, 60, 40)
        yield np.clip(frame, 0, 255).astype(np.uint8)


def measure(files: Path, venv: Path, *, seconds: float, rounds: int) -> dict[str, list[float]]:
    """Return the rates of all rounds by row."""
    source, folder = LeRobotSource(files / "set"), VideoFolder(files / "long")
    cached = CachedSource(source, SIZE)
    found: dict[str, list[float]] = {}

    def note(name: str, rate: float) -> None:
        print(f"{name}: {rate:,.1f}", file=sys.stderr, flush=True)
        found.setdefault(name, []).append(rate)

    for _ in range(rounds):
        note("lerobot 0.4.4, from video", lerobot_clips_per_s(files / "set", venv, seconds))
        note("robossl, from video, torch's loader", loaded_clips_per_s(source, seconds))
        note("robossl, from the frame cache, torch's loader", loaded_clips_per_s(cached, seconds))
        note("robossl, from the frame cache", read_clips_per_s(cached, seconds))
        note("robossl, streamed 96 px", streamed_clips_per_s(source, "front", seconds))
        note("decord, random 480p", decord_clips_per_s(sorted((files / "long").glob("*.mp4")), seconds))
        clips = streamed_clips_per_s(folder, "video", seconds)
        note("robossl, streamed 480p", clips)
        note("robossl, streamed 480p, frames", clips * WINDOW.num_frames)  # an epoch draws a clip for every four frames
        note("ffmpeg -f null 480p, frames", ffmpeg_frames_per_s(files / "long", venv, seconds))
    return found


def lerobot_clips_per_s(root: Path, venv: Path, seconds: float) -> float:
    """Return the rate of lerobot's own data set in a loader of two workers."""
    arguments = [str(root), str(seconds), str(BATCH), str(WORKERS), "observation.images.front", str(FPS_HZ)]
    command = [str(venv / "bin/python"), "-c", LEROBOT, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def batches_of(source: LeRobotSource | CachedSource) -> ClipLoader:
    """Return random clips in batches."""
    clips = ClipDataset(source, WINDOW, seed=0, views=("front",))
    return ClipLoader([clips], BatchSampler([len(clips)], batch_size=BATCH, seed=0), names=["bench"])


def read_clips_per_s(source: LeRobotSource | CachedSource, seconds: float) -> float:
    """Return the rate of random clips as training reads them, ahead in one thread."""
    with Prefetcher(batches_of(source), range(NUM_STEPS)) as batches:
        return _rate((len(batch.pixels) for _, batch in batches), seconds)


def loaded_clips_per_s(source: LeRobotSource | CachedSource, seconds: float) -> float:
    """Return the rate of random clips, batches read by two workers of torch's loader."""
    loader = DataLoader(Steps(batches_of(source)), batch_size=None, num_workers=WORKERS)
    return _rate((len(batch.pixels) for batch in loader), seconds)


class Steps(Dataset):
    """The batch of each step as torch's loader takes it."""

    def __init__(self, batches: ClipLoader) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return NUM_STEPS

    def __getitem__(self, step: int) -> Any:
        return self.batches(step)


def streamed_clips_per_s(source: LeRobotSource | VideoFolder, view: str, seconds: float) -> float:
    """Return the rate of clips decoded in sequence and shuffled, over whole epochs, with all that was decoded ahead."""
    start_s = time.perf_counter()
    clips = StreamedClips(source, WINDOW, image_size=(SIZE, SIZE), seed=0, views=(view,), batch_size=BATCH)
    for epoch in itertools.count():
        for start in range(0, len(clips), BATCH):
            items = clips.order(epoch)[start : start + BATCH].tolist()
            first = epoch * len(clips) + start
            clips.batch(items, positions=range(first, first + len(items)))
        elapsed_s = time.perf_counter() - start_s
        if elapsed_s > seconds:
            break
    clips.close()
    return (epoch + 1) * len(clips) / elapsed_s


def decord_clips_per_s(paths: Sequence[Path], seconds: float) -> float:
    """Return the rate of random clips of four frames by decord itself, on all cores, resized as it decodes."""
    import decord

    readers = [decord.VideoReader(str(path), width=SIZE, height=SIZE, num_threads=0) for path in paths]
    rng = np.random.default_rng(0)

    def clips() -> Iterator[int]:
        while True:
            reader, start = readers[rng.integers(len(readers))], int(rng.integers(LONG_FRAMES - 4))
            reader.get_batch(range(start, start + 4)).asnumpy()
            yield 1

    return _rate(clips(), seconds)


def ffmpeg_frames_per_s(folder: Path, venv: Path, seconds: float) -> float:
    """Return how fast ffmpeg decodes the files and throws the frames away, on all cores."""
    program = shutil.which("ffmpeg") or next(
        map(str, venv.glob("lib/*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*"))
    )
    rates, start_s = [], time.perf_counter()
    for path in sorted(folder.glob("*.mp4")):
        rates.append(ceiling_frames_per_s(path, ffmpeg=program)[0])
        if time.perf_counter() - start_s > seconds:
            break
    return len(rates) / sum(1 / rate for rate in rates)


def _rate(counts: Iterator[int], seconds: float) -> float:
    next(counts)  # what starts is not counted
    done, start_s = 0, time.perf_counter()
    for count in counts:
        done += count
        if time.perf_counter() - start_s > seconds:
            break
    return done / (time.perf_counter() - start_s)


if __name__ == "__main__":
    sys.exit(main())
