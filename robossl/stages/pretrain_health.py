"""The watch against collapse while an encoder is trained: a loss may fall while all images become one."""

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from robossl.encoders import Encoder
from robossl.evaluation.health import Health, feature_health
from robossl.stages.pretrain_sources import TrainingSource

NUM_FRAMES = 128
"""Of all sources together: their features take about a tenth of a training step of the default recipe."""
EVERY_LOGS = 10
"""Rows of metrics from one look at the features to the next."""
logger = logging.getLogger(__name__)


class HealthWatch:
    """Looks at the features of the same held-out frames each time, and gives one warning if they collapse."""

    def __init__(self, sources: Sequence[TrainingSource]) -> None:
        """Read the frames: as many of each source, spread over episodes that are not trained on, if it has any."""
        self.frames = torch.from_numpy(np.concatenate([_spread(s, NUM_FRAMES // len(sources) or 1) for s in sources]))
        self._warned = False
        self._healthy_at: int | None = None

    def look(self, encoder: Encoder, *, step: int) -> Health:
        """Return the health of the encoder; the first time that it is bad, say so."""
        health = feature_health(_features(encoder, self.frames))
        if not health.is_collapsed:
            self._healthy_at = step
        elif not self._warned:
            self._warned = True
            before = "at every look so far" if self._healthy_at is None else f"since step {self._healthy_at}"
            logger.warning(
                "the features have collapsed at step %d, %s: %s; lower learning_rate, or add an objective that tells "
                "images apart, such as paired_looks",
                step,
                before,
                health.complaint(len(self.frames)),
            )
        return health

    def hook(self, encoder: Encoder, *, is_first: bool) -> Callable[[int], Mapping[str, float]]:
        """Return what the training loop calls; only the first process looks, since all have the same encoder."""

        def watch(done: int) -> Mapping[str, float]:
            return self.look(encoder, step=done).metrics() if is_first else {}

        return watch


@torch.no_grad()
def _features(encoder: Encoder, frames: UInt8[Tensor, "n 3 H W"]) -> Tensor:
    return encoder(frames.to(encoder.mean.device)).float().cpu()


def _spread(item: TrainingSource, count: int) -> UInt8[np.ndarray, "n C H W"]:
    """Return about `count` frames of the first view, evenly spread over the episodes."""
    episodes = item.test if len(item.test) else item.train
    chosen = episodes[np.linspace(0, len(episodes) - 1, min(count, len(episodes))).astype(np.int64)]
    each = -(-count // len(chosen))
    rows = [
        item.source.frames(int(e), np.linspace(0, item.source.lengths[e] - 1, each).astype(np.int64), item.views[0])
        for e in chosen
    ]
    return np.concatenate(rows)[:count]
