"""Losses of pretext tasks as loops over single frames, from their formulas, in float64."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch

from robossl.objectives import Objective
from robossl.types import ClipBatch

Row = np.ndarray
Place = tuple[int, float]


class Frames:
    """Single frames of a batch, and what modules say of each on its own."""

    def __init__(self, objective: Objective, batch: ClipBatch) -> None:
        self.encoder, self.batch = objective.encoder, batch

    def size(self, group: str) -> int:
        span = self.batch.groups[group]
        return span.stop - span.start

    def _at(self, group: str, place: int) -> int:
        return self.batch.groups[group].start + place % self.size(group)

    def image(self, clip: int, group: str, place: int, view: int = 0) -> torch.Tensor:
        return self.batch.pixels[clip, view, self._at(group, place)]

    @torch.no_grad()
    def vector(self, clip: int, group: str, place: int, *heads: torch.nn.Module, view: int = 0) -> Row:
        return self.seen_by(self.encoder, clip, group, place, *heads, view=view)

    @torch.no_grad()
    def seen_by(
        self, module: torch.nn.Module, clip: int, group: str, place: int, *heads: torch.nn.Module, view: int = 0
    ) -> Row:
        out = module(self.image(clip, group, place, view)[None])
        for head in heads:
            out = head(out)
        return out[0].numpy()

    def valid(self, clip: int, group: str, place: int) -> bool:
        return bool(self.batch.valid[clip, self._at(group, place)])

    def place(self, clip: int, group: str, place: int) -> Place:
        return int(self.batch.episode_id[clip]), float(self.batch.timestamps_s[clip, self._at(group, place)])

    def all(self, group: str) -> Iterator[tuple[int, int]]:
        for clip in range(len(self.batch.pixels)):
            for place in range(self.size(group)):
                yield clip, place

    def clips(self) -> range:
        return range(len(self.batch.pixels))


def far(a: Place, b: Place, margin_s: float) -> bool:
    return a[0] != b[0] or abs(a[1] - b[1]) > margin_s + 5e-4


def distance(a: Row, b: Row) -> float:
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def softmax_loss(right: float, wrong: list[float]) -> float:
    """-log exp(right) / (exp(right) + sum of exp(wrong))."""
    return math.log(math.exp(right) + sum(math.exp(score) for score in wrong)) - right


def cosine(a: Row, b: Row) -> float:
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


SLOW: dict[str, Callable[[Objective, Frames], float]] = {}


def slow(name: str) -> Callable:
    """Say which task a loop is the loss of."""

    def keep(function: Callable[[Objective, Frames], float]) -> Callable:
        SLOW[name] = function
        return function

    return keep
