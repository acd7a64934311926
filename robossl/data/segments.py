"""Long episodes cut into stretches that are read from front to back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from robossl.data.sources import ScalingSource
from robossl.data.static_frames import StaticFrames
from robossl.data.video.reader import Indices

SEGMENT_FRAMES = 512


class SegmentedSource:
    """A `ScalingSource` whose episodes are stretches of another one's, of nearly equal length.

    A window that spreads over an episode spreads over a stretch here: 17 s at 30 frames a second.

    Args:
        source: the whole episodes.
        episodes: only these; all by default.
        max_frames: of a stretch.
    """

    def __init__(
        self, source: ScalingSource, *, episodes: Sequence[int] | None = None, max_frames: int = SEGMENT_FRAMES
    ) -> None:
        self.source = source
        self.cameras, self.features, self.digest = source.cameras, source.features, source.digest
        self.fps_hz = source.fps_hz
        chosen = range(len(source.lengths)) if episodes is None else episodes
        stretches = [
            (episode, int(start), int(stop))
            for episode in chosen
            for start, stop in _cuts(int(source.lengths[episode]), max_frames)
        ]
        table = np.array(stretches, dtype=np.int64).reshape(-1, 3)
        self.episodes: Int64[np.ndarray, " N"] = table[:, 0]
        """The episode that each stretch is of."""
        self.starts: Int64[np.ndarray, " N"] = table[:, 1]
        """Its first frame there."""
        self.lengths: Int64[np.ndarray, " N"] = table[:, 2] - table[:, 1]

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames; see `EpisodeSource.frames`."""
        return self.source.frames(*self._place(episode, indices), camera)

    def scaled_frames(
        self, episode: int, indices: Indices, camera: str, size: tuple[int, int]
    ) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at a size; see `ScalingSource.scaled_frames`."""
        return self.source.scaled_frames(*self._place(episode, indices), camera, size)

    def video(self, episode: int, camera: str) -> tuple[Path, int]:
        """Return the file; see `ScalingSource.video`."""
        path, first = self.source.video(int(self.episodes[episode]), camera)
        return path, first + int(self.starts[episode])

    def parts_of(self, static: Sequence[StaticFrames]) -> list[StaticFrames]:
        """Return what is static of each stretch, from that of the whole episodes."""
        stops = self.starts + self.lengths
        return [
            static[episode].part(start, stop)
            for episode, start, stop in zip(self.episodes.tolist(), self.starts.tolist(), stops.tolist(), strict=True)
        ]

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Return rows; see `EpisodeSource.values`."""
        return self.source.values(*self._place(episode, indices), key)

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return what is known of the whole episode."""
        return self.source.episode_metadata(int(self.episodes[episode]))

    def episode_key(self, episode: int) -> str:
        """Return the name of the whole episode."""
        return self.source.episode_key(int(self.episodes[episode]))

    def _place(self, segment: int, indices: Indices) -> tuple[int, np.ndarray]:
        return int(self.episodes[segment]), np.asarray(indices, dtype=np.int64) + self.starts[segment]


def _cuts(length: int, max_frames: int) -> list[tuple[int, int]]:
    edges = np.linspace(0, length, -(-length // max_frames) + 1).round().astype(np.int64)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
