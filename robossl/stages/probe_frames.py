"""The frames that a probe is fitted and tested on, with what is known of them."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8

from robossl.config.probe import ProbeConfig
from robossl.data.lerobot.layout import ACTION, INTENDED_ACTION, REWARD
from robossl.data.sources import EpisodeSource
from robossl.encoders import Encoder
from robossl.evaluation.probe import ProbeData

ENCODE_BATCH = 256


class Sampled:
    """Frames of some episodes of one source, at the encoder's size, with what they are to tell."""

    def __init__(self, source: EpisodeSource, episodes: Int64[np.ndarray, " N"], config: ProbeConfig) -> None:
        is_of_steps = config.key in (ACTION, INTENDED_ACTION, REWARD)
        asked = source.lengths[episodes] - int(is_of_steps)  # no step follows the last frame, which has a filler
        rows = spread(asked, config.max_frames)
        pairs = [(int(episode), index) for episode, index in zip(episodes, rows, strict=True) if len(index)]
        self.pairs = pairs
        """Episode and frame numbers of the frames, in order."""
        self._source, self._config = source, config
        self.frames: UInt8[np.ndarray, "n C H W"] = self.read(0)
        self.episode: Int64[np.ndarray, " n"] = np.concatenate([np.full(len(i), e, np.int64) for e, i in pairs])
        self.progress: Float[np.ndarray, "n 1"] = np.concatenate(
            [index[:, None] / max(1, int(source.lengths[episode]) - 1) for episode, index in pairs]
        )
        """Part of the episode that is over, 0 to 1."""

    @cached_property
    def truth(self) -> Float[np.ndarray, "n Y"]:
        """What the frames are to tell."""
        return self._values(0)

    def with_features(self, features: Float[np.ndarray, "n D"]) -> ProbeData:
        """Return the data of a probe on these features."""
        return ProbeData(features=features, truth=self.truth, episode=self.episode)

    def metadata(self, episode: int) -> dict[str, Any]:
        """Return what is known of an episode beside its rows."""
        return self._source.episode_metadata(episode)

    def pixels(self) -> Float[np.ndarray, "n P"]:
        """Return the frames as rows of numbers in 0-1."""
        return as_rows(self.frames)

    def velocity(self) -> Float[np.ndarray, "n Y"]:
        """Return how fast the truth changed from the frame before, in its unit per second."""
        return (self.truth - self._values(1)) * self._source.fps_hz

    @property
    def has_actions(self) -> bool:
        """Whether the data set has actions."""
        return ACTION in self._source.features

    @cached_property
    def acts(self) -> Bool[np.ndarray, " n"]:
        """Whether a frame has an action: the last one of an episode has none, only a filler."""
        return np.concatenate([index < self._source.lengths[episode] - 1 for episode, index in self.pairs])

    def actions(self) -> Float[np.ndarray, "m A"]:
        """Return the action that was taken at each frame that has one."""
        return self._values(0, ACTION)[self.acts]

    def read(self, back: int) -> UInt8[np.ndarray, "n C H W"]:
        """Return the frame so many before each; the first of an episode stands for what would be before it."""
        camera = self._config.camera
        return np.concatenate([self._source.frames(e, np.maximum(i - back, 0), camera) for e, i in self.pairs])

    def clips(self, back: int, *, num_before: int) -> Iterator[UInt8[np.ndarray, "m T C H W"]]:
        """Yield, episode by episode, what `read` returns, each frame after the ones before it."""
        steps = np.arange(num_before, -1, -1)
        for episode, rows in self.pairs:
            wanted = np.maximum(rows[:, None] - back - steps, 0)
            frames = self._source.frames(episode, wanted.ravel(), self._config.camera)
            yield frames.reshape(*wanted.shape, *frames.shape[1:])

    def _values(self, back: int, key: str = "") -> np.ndarray:
        key = key or self._config.key
        return np.concatenate([self._source.values(e, np.maximum(i - back, 0), key) for e, i in self.pairs])


def as_rows(frames: UInt8[np.ndarray, "n C H W"]) -> Float[np.ndarray, "n P"]:
    """Return frames as rows of numbers in 0-1."""
    return frames.reshape(len(frames), -1).astype(np.float32) / 255


@torch.inference_mode()
def encode(encoder: Encoder, frames: UInt8[np.ndarray, "n C H W"]) -> Float[np.ndarray, "n D"]:
    """Return the features of all frames."""
    device = encoder.mean.device
    parts = [encoder(part.to(device)).float().cpu() for part in torch.from_numpy(frames).split(ENCODE_BATCH)]
    return torch.cat(parts).numpy()


@torch.inference_mode()
def features_of(encoder: Encoder, sampled: Sampled, back: int = 0) -> Float[np.ndarray, "n D"]:
    """Return the features of all frames, or of those so many before; a video backbone also sees what is before each."""
    if not encoder.num_before:
        return encode(encoder, sampled.read(back) if back else sampled.frames)
    device = encoder.mean.device
    clips = (torch.from_numpy(part).to(device) for part in sampled.clips(back, num_before=encoder.num_before))
    return torch.cat([encoder.encode_clip(part)[:, -1].float().cpu() for part in clips]).numpy()


def spread(lengths: Int64[np.ndarray, " N"], max_frames: int) -> list[Int64[np.ndarray, " m"]]:
    """Return frame numbers of each episode, evenly spaced, about `max_frames` in all and at most that many."""
    total = int(np.sum(lengths))
    stride = max(1, -(-total // max_frames))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    # one comb over all episodes laid end to end, so that short episodes are not favoured
    return [np.arange(-start % stride, length, stride) for start, length in zip(starts, lengths, strict=True)]
