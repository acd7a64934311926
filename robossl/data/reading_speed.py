"""How fast the frames of a source can be had, each way, measured for a moment."""

import itertools
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import torch

from robossl.data.cache_build import BLOCK_FRAMES
from robossl.data.segments import SegmentedSource
from robossl.data.sources import LeRobotSource, ScalingSource
from robossl.data.threads import num_threads
from robossl.data.video.scan import video_stream
from robossl.data.video_folder import VideoFolder
from robossl.resize import resize

CLIP_FRAMES = 4
CACHED_FRAMES = 4096
MAX_CEILING_FRAMES = 3000


def streamed_frames_per_s(source: ScalingSource, image_size: tuple[int, int], *, seconds: float) -> float:
    """Return how many frames a second are decoded and scaled in sequence, by all threads together."""
    camera = source.cameras[0]
    return _in_threads(source, lambda e, numbers: source.scaled_frames(e, numbers, camera, image_size), seconds=seconds)


def built_frames_per_s(source: ScalingSource, image_size: tuple[int, int], *, seconds: float) -> float:
    """Return how many frames a second are decoded and resized for the frame cache, by all threads together."""
    camera = source.cameras[0]

    def read(episode: int, numbers: np.ndarray) -> None:
        resize(torch.from_numpy(source.frames(episode, numbers, camera)), image_size)

    return _in_threads(source, read, seconds=seconds)


def cached_frames_per_s(image_size: tuple[int, int], *, seconds: float) -> float:
    """Return how many frames a second are copied out of a cache that lies in memory."""
    frames, rng, count = np.zeros((CACHED_FRAMES, 3, *image_size), dtype=np.uint8), np.random.default_rng(0), 0
    start_s = time.perf_counter()
    while time.perf_counter() - start_s < seconds:
        count += len(frames[rng.integers(0, CACHED_FRAMES, size=BLOCK_FRAMES)])
    return count / (time.perf_counter() - start_s)


def random_clips_per_s(source: ScalingSource, image_size: tuple[int, int], *, seconds: float) -> float:
    """Return how many clips of 4 frames a second one thread reads at random places."""
    rng, count, camera = np.random.default_rng(0), 0, source.cameras[0]
    start_s = time.perf_counter()
    while time.perf_counter() - start_s < seconds:
        episode = int(rng.integers(len(source.lengths)))
        first = int(rng.integers(max(1, int(source.lengths[episode]) - CLIP_FRAMES)))
        last = min(first + CLIP_FRAMES, int(source.lengths[episode]))
        resize(torch.from_numpy(source.frames(episode, range(first, last), camera)), image_size)
        count += 1
    return count / (time.perf_counter() - start_s)


def ceiling_frames_per_s(path: Path, *, ffmpeg: str | None = None) -> tuple[float, str]:
    """Return how many frames a second of a file are decoded and thrown away, and by what.

    Args:
        path: a video.
        ffmpeg: the program; by default the one on the path, and PyAV's decoder with all threads where there is none.
    """
    ffmpeg = ffmpeg or shutil.which("ffmpeg")
    num_frames = min(MAX_CEILING_FRAMES, _count(path))
    start_s = time.perf_counter()
    if ffmpeg:
        limits = ["-frames:v", str(num_frames), "-an", "-f", "null", "-"]
        subprocess.run([ffmpeg, "-v", "quiet", "-nostdin", "-i", str(path), *limits], check=True)
        return num_frames / (time.perf_counter() - start_s), "ffmpeg -f null"
    with av.open(str(path)) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        for _ in itertools.islice(container.decode(stream), num_frames):
            pass
    return num_frames / (time.perf_counter() - start_s), "PyAV, frames thrown away"


def longest_video(source: LeRobotSource | VideoFolder) -> Path | None:
    """Return the file of the longest episode; None where all are folders of pictures."""
    if isinstance(source, VideoFolder):
        files = [(int(n), path) for n, path in zip(source.lengths, source.paths, strict=True) if path.is_file()]
        return max(files)[1] if files else None
    episode = int(np.argmax(source.lengths))
    return source.directory.video(episode, source.cameras[0])[0]


def _count(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = video_stream(container, path)
        return sum(1 for packet in container.demux(stream) if packet.size)


def _in_threads(source: ScalingSource, read: Callable[[int, np.ndarray], object], *, seconds: float) -> float:
    """Return frames a second of reading stretches from front to back, in random order."""
    segments = SegmentedSource(source)
    order = itertools.cycle(np.random.default_rng(0).permutation(len(segments.lengths)).tolist())
    begun_s = time.perf_counter()
    stop_s = begun_s + seconds

    def work(_: int) -> int:
        count = 0
        while True:
            segment = next(order)
            for first in range(0, int(segments.lengths[segment]), BLOCK_FRAMES):
                stop = min(first + BLOCK_FRAMES, int(segments.lengths[segment]))
                read(int(segments.episodes[segment]), np.arange(first, stop) + segments.starts[segment])
                count += stop - first
                if time.perf_counter() > stop_s:
                    return count

    with ThreadPoolExecutor(num_threads(), thread_name_prefix="measure") as pool:
        count = sum(pool.map(work, range(num_threads())))
    return count / (time.perf_counter() - begun_s)
