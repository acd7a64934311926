"""Decode all frames of a source at training size, in threads."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np
import torch

from robossl.data.sources import EpisodeSource
from robossl.data.threads import num_threads
from robossl.resize import Aspect, resize

BLOCK_FRAMES = 32
"""Decoded at a time; bounds the memory for large videos."""
SPAN_FRAMES = 16 * BLOCK_FRAMES
"""Of an episode, for one thread: a long video is shared out too."""


@dataclass(frozen=True)
class _Span:
    camera: str
    episode: int
    start: int
    stop: int


def decode_into(
    stored: Mapping[str, np.ndarray],
    source: EpisodeSource,
    *,
    starts: np.ndarray,
    aspect: Aspect,
    advance: Callable[[int], None],
) -> None:
    """Decode every frame.

    Args:
        stored: camera to where its frames go, uint8 [frames, C, H, W].
        source: where they come from; its `frames` is called from several threads.
        starts: place of the first frame of each episode.
        aspect: see `robossl.resize.resize`.
        advance: told how many frames are done, from any thread.

    Raises:
        VideoReadError: a frame can't be decoded.
    """

    def decode(span: _Span) -> None:
        frames = stored[span.camera]
        for start in range(span.start, span.stop, BLOCK_FRAMES):
            stop = min(start + BLOCK_FRAMES, span.stop)
            found = torch.from_numpy(source.frames(span.episode, range(start, stop), span.camera))
            small = resize(found, frames.shape[-2:], aspect=aspect)
            frames[starts[span.episode] + start : starts[span.episode] + stop] = small.numpy()
            advance(stop - start)

    with ThreadPoolExecutor(num_threads(), thread_name_prefix="decode") as pool:
        done = [pool.submit(decode, span) for camera in stored for span in _spans(source, camera)]
        try:
            for one in as_completed(done):
                one.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _spans(source: EpisodeSource, camera: str) -> Iterator[_Span]:
    for episode, length in enumerate(source.lengths.tolist()):
        for start in range(0, length, SPAN_FRAMES):
            yield _Span(camera, episode, start, min(start + SPAN_FRAMES, length))
