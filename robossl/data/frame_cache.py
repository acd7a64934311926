"""Decoded frames at training size in memory-mapped files: reading a small frame costs a copy instead of a decode."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from rich.console import Console
from rich.progress import Progress

from robossl.data.cache_build import decode_into
from robossl.data.cache_dir import cache_dir as cache_dir_of
from robossl.data.cache_room import RECORD, Hold, building, hold, make_room
from robossl.data.lerobot.layout import write_json
from robossl.data.sources import EpisodeSource
from robossl.data.video.reader import Indices
from robossl.errors import DataError
from robossl.resize import Aspect
from robossl.resize import image_size as height_width

VERSION = 1  # raise it when the stored pixels change for the same source and size


class CachedSource:
    """An `EpisodeSource` whose frames come from a cache of uint8 [frames, C, H, W], one file a camera.

    The cache is built when the object is made, in threads, unless it is there: it is keyed by the content of the
    source, the size and the aspect policy. It is written under a temporary name and renamed, so a kill leaves nothing
    half-built; of two processes that want it one waits. All caches of a folder together take at most
    `$ROBOSSL_CACHE_GB` (50): those that were used longest ago go first, and none that is in use.

    Args:
        source: where the frames come from; its values are passed on.
        image_size: (H, W) in px, or one number for a square.
        cache_dir: folder for caches; by default `$ROBOSSL_CACHE`, else `robossl` in the user's cache, then `frames`.
        aspect: how to reach the size from another aspect ratio, see `robossl.resize.resize`.

    Raises:
        VideoReadError: a frame can't be decoded.
        DataError: the cache folder can't be written, or there is no room for the frames.
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
        self.path = cache_path(source, self.image_size, cache_dir=cache_dir, aspect=aspect)
        self._held: Hold | None = self._hold()
        self._maps: dict[str, np.ndarray] = {}

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at the cache's size; see `EpisodeSource.frames`."""
        numbers = np.asarray(indices, dtype=np.int64)
        length = int(self.lengths[episode])
        if numbers.size and (numbers.min() < 0 or numbers.max() >= length):
            raise DataError(
                f"frames {numbers.min()} to {numbers.max()} reach outside of episode {episode}: {length} frames"
            )
        return self._map(camera)[self._starts[episode] + numbers]

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
        return self.__dict__ | {"_maps": {}, "_held": None}

    def _map(self, camera: str) -> np.ndarray:
        if camera not in self._maps:
            if camera not in self.cameras:
                raise DataError(f"there is no camera {camera!r}; the data has {', '.join(self.cameras)}")
            self._held = self._held or self._hold()  # in another process than the one that made this object
            # as a plain array: indexing NumPy's memmap class costs as much as copying a clip
            self._maps[camera] = np.asarray(np.load(self.path / f"{camera}.npy", mmap_mode="r"))
        return self._maps[camera]

    def _hold(self) -> Hold:
        """Build the cache unless another process does, and hold it."""
        height, width = self.image_size
        needed = int(self._starts[-1]) * len(self.cameras) * 3 * height * width
        while (held := hold(self.path)) is None:
            try:
                with building(self.path) as temporary:
                    if temporary is not None:
                        make_room(self.path.parent, needed)
                        self._write(temporary)
            except OSError as error:
                raise DataError(
                    f"can't write the frame cache {self.path.parent} ({error}): give another cache_dir"
                ) from error
        return held

    def _write(self, folder: Path) -> None:
        console = Console(stderr=True)
        shape = (int(self._starts[-1]), 3, *self.image_size)
        stored = {
            camera: np.lib.format.open_memmap(folder / f"{camera}.npy", mode="w+", dtype=np.uint8, shape=shape)
            for camera in self.cameras
        }
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("decoding frames", total=shape[0] * len(stored))
            decode_into(
                stored,
                self.source,
                starts=self._starts,
                aspect=self.aspect,
                advance=lambda count: progress.advance(task, count),
            )
        for frames in stored.values():
            frames.flush()
        write_json(folder / RECORD, {"digest": self.digest, "image_size": self.image_size})


def cache_path(
    source: EpisodeSource,
    image_size: tuple[int, int],
    *,
    cache_dir: str | Path | None = None,
    aspect: Aspect = "stretch",
) -> Path:
    """Return the folder of a source's cache, named by content, size and aspect policy; it need not be there."""
    height, width = image_size
    name = f"{source.digest.removeprefix('sha256:')[:32]}-{height}x{width}-{aspect}-v{VERSION}"
    return (Path(cache_dir) if cache_dir else cache_dir_of("frames")) / name
