"""Clips decoded in sequence: one seek for many clips, shuffled in rounds, decoded ahead in threads."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8

from robossl.data.clip_dataset import ClipDataset
from robossl.data.clip_sampling import Window
from robossl.data.segments import SegmentedSource
from robossl.data.sources import ScalingSource
from robossl.data.static_frames import StaticFrames
from robossl.data.stream_order import Round, StreamOrder
from robossl.data.threads import num_threads
from robossl.data.video.reader import Indices
from robossl.errors import DataError
from robossl.types import ClipBatch

ROUND_FRAMES = 4096
"""Frames of the stretches that are shuffled together: 50 MB of 64 px; twice, since the next round is decoded ahead."""


class ScaledSource:
    """An `EpisodeSource` whose frames come straight from the files at training size; nothing is kept on disk.

    Args:
        source: where the frames come from; its values are passed on.
        image_size: (H, W) in px.
    """

    def __init__(self, source: ScalingSource, image_size: tuple[int, int]) -> None:
        self.source, self.image_size = source, image_size
        self.lengths: Int64[np.ndarray, " N"] = source.lengths
        self.fps_hz, self.cameras, self.features = source.fps_hz, source.cameras, source.features
        self.digest = source.digest

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames at training size; see `EpisodeSource.frames`."""
        return self.source.scaled_frames(episode, indices, camera, self.image_size)

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Return rows of the source."""
        return self.source.values(episode, indices, key)

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return what the source knows of an episode."""
        return self.source.episode_metadata(episode)

    def episode_key(self, episode: int) -> str:
        """Return the source's name of an episode."""
        return self.source.episode_key(episode)


class _Decoded:
    """The frames that the clips of one round need, by stretch and view."""

    def __init__(self) -> None:
        self.numbers: dict[int, Int64[np.ndarray, " n"]] = {}
        self.frames: dict[tuple[int, str], Future[UInt8[np.ndarray, "n C H W"]]] = {}

    def take(self, segment: int, indices: Int64[np.ndarray, " T"], view: str) -> UInt8[np.ndarray, "T C H W"]:
        """Return frames, once they are decoded."""
        places = np.searchsorted(self.numbers[segment], indices)
        return self.frames[segment, view].result()[places]

    def cancel(self) -> None:
        """Drop what has not begun."""
        for future in self.frames.values():
            future.cancel()


class StreamedClips:
    """Clips of one source like those of a `ClipDataset`, for reading in the order that `order` gives.

    Episodes are cut into stretches, and `order` passes them in rounds (`StreamOrder`). Of a round each stretch is
    decoded once, from front to back, by one thread of several, and only frames that its clips need are scaled.
    Any place of the stream can be asked for, at the cost of decoding its round: nothing is remembered to resume.

    Args:
        source: the whole episodes.
        window: which frames make a clip; it is drawn within a stretch.
        image_size: (H, W) of the frames.
        seed: of the order and of the frames.
        views: cameras of a clip.
        episodes: only these; all by default.
        batch_size, rank, world_size: as in `BatchSampler`; frames of other ranks' clips are not read.
        round_frames: see `StreamOrder`.
        static: see `ClipDataset`.
    """

    def __init__(
        self,
        source: ScalingSource,
        window: Window,
        *,
        image_size: tuple[int, int],
        seed: int,
        views: Sequence[str],
        episodes: Sequence[int] | None = None,
        batch_size: int = 1,
        rank: int = 0,
        world_size: int = 1,
        round_frames: int = ROUND_FRAMES,
        static: Sequence[StaticFrames] | None = None,
    ) -> None:
        self.segments = SegmentedSource(source, episodes=episodes)
        if not len(self.segments.lengths):
            raise DataError("no episodes to train on; collect more or name other ones")
        scaled = ScaledSource(self.segments, image_size)
        parts = None if static is None else self.segments.parts_of(static)
        self.dataset = ClipDataset(scaled, window, seed=seed, views=views, static=parts)
        self.window, self.source = window, self.dataset.source
        self.episode_of_item = self.dataset.episode_of_item
        self.order = StreamOrder(self.episode_of_item, self.segments.lengths, seed=seed, round_frames=round_frames)
        self._batch_size, self._share, self._rank = batch_size, batch_size // world_size, rank
        self._pool = ThreadPoolExecutor(num_threads(), thread_name_prefix="decode")
        self._decoded: dict[int, _Decoded] = {}

    def __len__(self) -> int:
        """Return the number of items of one epoch."""
        return len(self.dataset)

    def batch(self, items: Sequence[int], *, positions: Sequence[int]) -> ClipBatch:
        """Return the items that `order` has at these rising places, each with its frames drawn by (seed, position)."""
        rounds = [self.order.round_at(position) for position in positions]
        self._decode_ahead(rounds)
        draws = [self.dataset.draw(item, position) for item, position in zip(items, positions, strict=True)]
        segments = [int(self.episode_of_item[item]) for item in items]
        pixels = (
            np.stack([self._decoded[one.start].take(segment, draw.indices, view) for view in self.dataset.views])
            for segment, draw, one in zip(segments, draws, rounds, strict=True)
        )
        return self._placed(self.dataset.filled(segments, draws, pixels))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _placed(self, batch: ClipBatch) -> ClipBatch:
        """Return the clips with the episodes and the frame numbers of the source, not those of the stretches."""
        segments = batch.episode_id.numpy()
        starts = torch.from_numpy(self.segments.starts[segments])[:, None]
        return replace(
            batch,
            episode_id=torch.from_numpy(self.segments.episodes[segments]),
            indices=batch.indices + starts,
            timestamps_s=batch.timestamps_s + starts / self.segments.fps_hz,
        )

    def _decode_ahead(self, rounds: Sequence[Round]) -> None:
        """Keep the rounds that are asked for and the one after them; drop the others."""
        last = rounds[-1]
        wanted = {one.start: one for one in [*rounds, self.order.round_at(last.start + len(last.items))]}
        for start in [start for start in self._decoded if start not in wanted]:
            self._decoded.pop(start).cancel()
        for start, one in wanted.items():
            if start not in self._decoded:
                self._decoded[start] = self._started(one)

    def _started(self, one: Round) -> _Decoded:
        """Start to decode a round, the stretch that is needed first first."""
        needed: dict[int, list[np.ndarray]] = defaultdict(list)
        for item, position in self._own(one):
            needed[int(self.episode_of_item[item])].append(self.dataset.draw(item, position).indices)
        decoded = _Decoded()
        for segment, indices in needed.items():
            decoded.numbers[segment] = numbers = np.unique(np.concatenate(indices))
            for view in self.dataset.views:
                task = self._pool.submit(self.source.frames, segment, numbers, view)
                decoded.frames[segment, view] = task
        return decoded

    def _own(self, one: Round) -> Iterator[tuple[int, int]]:
        """Yield item and place of the clips of this rank."""
        for position, item in enumerate(one.items.tolist(), start=one.start):
            if position % self._batch_size // self._share == self._rank:
                yield item, position
