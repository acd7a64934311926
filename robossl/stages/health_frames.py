"""The held-out frames that an encoder is asked about while it is trained, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from robossl.encoders import Encoder
from robossl.evaluation.health import Health, feature_health
from robossl.evaluation.quick_probe import quick_r2
from robossl.stages.pretrain_sources import TrainingSource

NUM_FRAMES = 128
"""Of all sources together: their features take about a tenth of a training step of the default recipe."""
NUM_TRIPLES = 16
"""Of all sources together: three frames in a row, and where there are two views the second one of the first frame."""
TRUTH_KEY = "observation.environment_state"


@dataclass(frozen=True, kw_only=True)
class SourceFrames:
    """Frames of the episodes of one source that are not trained on, if it has any."""

    spread: UInt8[np.ndarray, "n C H W"]
    """Evenly over the episodes, of the first view."""
    episode: Int64[np.ndarray, " n"]
    truth: Float[np.ndarray, "n Y"]
    """Simulator state; where there is none the part of the episode that is still to come, 0 to 1."""
    triples: UInt8[np.ndarray, "k 3 C H W"]
    alike: UInt8[np.ndarray, "k C H W"]
    """What is to be like the first frame of each triple: its second view, or without one the frame after it."""


class HealthFrames:
    """The frames of all sources as one stack, so that one pass through the encoder is enough."""

    def __init__(self, sources: Sequence[TrainingSource]) -> None:
        """Read the frames, as many of each source."""
        self.parts = [_frames_of(source, share=len(sources)) for source in sources]
        stacks = [[part.spread for part in self.parts]]
        stacks += [[part.triples[:, place] for part in self.parts] for place in range(3)]
        stacks += [[part.alike for part in self.parts]]
        self._sizes = [sum(map(len, stack)) for stack in stacks]
        self.pixels = torch.from_numpy(np.concatenate([frames for stack in stacks for frames in stack]))

    @property
    def num_spread(self) -> int:
        """How many different images there are."""
        return self._sizes[0]

    @torch.no_grad()
    def health(self, encoder: Encoder) -> Health:
        """Return the health of an encoder."""
        features: Tensor = encoder(self.pixels.to(encoder.mean.device)).float().cpu()
        spread, first, second, third, alike = features.split(self._sizes)
        return feature_health(
            spread,
            positives=(first, alike) if len(first) else None,
            steps=torch.stack([first, second, third], dim=1) if len(first) else None,
            probe_r2=self._probe_r2(spread.numpy()) if torch.isfinite(features).all() else 0.0,
        )

    def _probe_r2(self, features: Float[np.ndarray, "n D"]) -> float:
        """Return the mean over the sources that anything is known of."""
        parts = np.split(features, np.cumsum([len(part.spread) for part in self.parts])[:-1])
        scores = [quick_r2(of, part.truth, part.episode) for of, part in zip(parts, self.parts, strict=True)]
        known = [score for score in scores if not np.isnan(score)]
        return float(np.mean(known)) if known else float("nan")


def _frames_of(item: TrainingSource, *, share: int) -> SourceFrames:
    episodes = item.test if len(item.test) else item.train
    places = _places(item, episodes, NUM_FRAMES // share or 1)
    spread = np.concatenate([item.source.frames(e, rows, item.views[0]) for e, rows in places])
    long = episodes[item.source.lengths[episodes] >= 3]
    rows_of = _triples(item, long, NUM_TRIPLES // share or 1) if len(long) else []
    nothing = spread[:0]
    return SourceFrames(
        spread=spread,
        episode=np.concatenate([np.full(len(rows), e, np.int64) for e, rows in places]),
        truth=np.concatenate([_truth(item, e, rows) for e, rows in places]),
        triples=np.stack([nothing] * 3, axis=1)
        if not rows_of
        else np.stack([item.source.frames(e, rows, item.views[0]) for e, rows in rows_of]),
        alike=np.concatenate([nothing, *(_alike(item, e, rows) for e, rows in rows_of)]),
    )


def _places(item: TrainingSource, episodes: np.ndarray, count: int) -> list[tuple[int, np.ndarray]]:
    """Return `count` frames as (episode, rows), evenly spread."""
    chosen = episodes[np.linspace(0, len(episodes) - 1, min(count, len(episodes))).astype(np.int64)]
    counts = np.diff(np.linspace(0, count, len(chosen) + 1).astype(np.int64))
    return [
        (int(e), np.linspace(0, item.source.lengths[e] - 1, each).astype(np.int64))
        for e, each in zip(chosen, counts, strict=True)
    ]


def _triples(item: TrainingSource, episodes: np.ndarray, count: int) -> list[tuple[int, np.ndarray]]:
    """Return three frames in a row as (episode, rows), from the start of the first episode to the end of the last."""
    chosen = episodes[np.linspace(0, len(episodes) - 1, count).astype(np.int64)]
    starts = (np.linspace(0, 1, count) * (item.source.lengths[chosen] - 3)).astype(np.int64)
    return [(int(e), start + np.arange(3)) for e, start in zip(chosen, starts, strict=True)]


def _alike(item: TrainingSource, episode: int, rows: np.ndarray) -> np.ndarray:
    if len(item.views) > 1:
        return item.source.frames(episode, rows[:1], item.views[1])
    return item.source.frames(episode, rows[1:2], item.views[0])


def _truth(item: TrainingSource, episode: int, rows: np.ndarray) -> np.ndarray:
    if TRUTH_KEY in item.source.features:
        return item.source.values(episode, rows, TRUTH_KEY)
    return 1 - rows[:, None] / max(1, int(item.source.lengths[episode]) - 1)
