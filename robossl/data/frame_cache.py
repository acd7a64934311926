"""Decoded frames at training size in memory-mapped files: reading a small frame costs a copy instead of a decode."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from rich.console import Console
from rich.progress import Progress

from robossl.data.cache_dir import cache_dir as cache_dir_of
from robossl.data.lerobot.layout import write_json
from robossl.data.sources import EpisodeSource
from robossl.data.video.reader import Indices
from robossl.errors import DataError
from robossl.resize import Aspect, resize
from robossl.resize import image_size as height_width

BLOCK_FRAMES = 32  # decoded at a time; bounds the memory for large videos
VERSION = 1  # raise it when the stored pixels change for the same source and size


class CachedSource:
    """An `EpisodeSource` whose frames come from a cache of uint8 [frames, C, H, W], one file a camera.

    The cache is built when the object is made, unless it is there: it is keyed by the content of the source, the size
    and the aspect policy. It is written under a temporary name and renamed, so a kill leaves nothing half-built and two
    processes may build it at once.

    Args:
        source: where the frames come from; its values are passed on.
        image_size: (H, W) in px, or one number for a square.
        cache_dir: folder for caches; by default `$ROBOSSL_CACHE`, else `robossl` in the user's cache, then `frames`.
        aspect: how to reach the size from another aspect ratio, see `robossl.resize.resize`.

    Raises:
        VideoReadError: a frame can't be decoded.
        DataError: the cache folder can't be written.
    """

    def __init__(
        self,
        source: EpisodeSource,
        image_size: int | tuple[int, int],
        *,
        cache_dir: str | Path | None = None,
        aspect: Aspect = "stretch",
    ) -> None:
        self.source, self.image_size, self.aspect = source, height_width(image_size), aspect
        self.lengths: Int64[np.ndarray, " N"] = source.lengths
        self.fps_hz, self.cameras, self.features = source.fps_hz, source.cameras, source.features
        self.digest = source.digest
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])
        height, width = self.image_size
        name = f"{self.digest.removeprefix('sha256:')[:32]}-{height}x{width}-{aspect}-v{VERSION}"
        self.path = (Path(cache_dir) if cache_dir else cache_dir_of("frames")) / name
        if not self.path.is_dir():
            self._build()
        self._maps: dict[str, np.ndarray] = {}

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at the cache's size; see `EpisodeSource.frames`."""
        numbers = np.asarray(indices, dtype=np.int64)
        length = int(self.lengths[episode])
        if numbers.size and (numbers.min() < 0 or numbers.max() >= length):
            raise DataError(
                f"frames {numbers.min()} to {numbers.max()} reach outside of episode {episode}: {length} frames"
            )
        return np.asarray(self._map(camera)[self._starts[episode] + numbers])

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Return rows of the source."""
        return self.source.values(episode, indices, key)

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return what the source knows of an episode."""
        return self.source.episode_metadata(episode)

    def episode_key(self, episode: int) -> str:
        """Return the source's name of an episode."""
        return self.source.episode_key(episode)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the maps, which are opened there again."""
        return self.__dict__ | {"_maps": {}}

    def _map(self, camera: str) -> np.ndarray:
        if camera not in self._maps:
            if camera not in self.cameras:
                raise DataError(f"there is no camera {camera!r}; the data has {', '.join(self.cameras)}")
            self._maps[camera] = np.load(self.path / f"{camera}.npy", mmap_mode="r")
        return self._maps[camera]

    def _build(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{self.path.name}-", dir=self.path.parent))
        except OSError as error:
            raise DataError(
                f"can't write the frame cache {self.path.parent} ({error}): give another cache_dir"
            ) from error
        try:
            console = Console(stderr=True)
            with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
                task = progress.add_task("decoding frames", total=int(self._starts[-1]) * len(self.cameras))
                for camera in self.cameras:
                    self._write(temporary / f"{camera}.npy", camera, lambda count: progress.advance(task, count))
            write_json(temporary / "cache.json", {"digest": self.digest, "image_size": self.image_size})
            self._publish(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _write(self, path: Path, camera: str, advance: Callable[[int], None]) -> None:
        shape = (int(self._starts[-1]), 3, *self.image_size)
        stored = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        for episode, length in enumerate(self.lengths.tolist()):
            for start in range(0, length, BLOCK_FRAMES):
                stop = min(start + BLOCK_FRAMES, length)
                frames = torch.from_numpy(self.source.frames(episode, range(start, stop), camera))
                small = resize(frames, self.image_size, aspect=self.aspect)
                stored[self._starts[episode] + start : self._starts[episode] + stop] = small.numpy()
                advance(stop - start)
        stored.flush()

    def _publish(self, temporary: Path) -> None:
        try:
            os.rename(temporary, self.path)
        except OSError:
            if not self.path.is_dir():  # else another process was faster, with the same content
                raise
