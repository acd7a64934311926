"""Automatic domain randomization: ranges widen while success stays high, and narrow when it falls."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

Side = Literal["low", "high"]
Range = Sequence[float]
PROBED = 0.5
"""Part of the episodes with one axis at a boundary of its range; both kinds are kept."""
BUFFER = 5
"""Episodes at a boundary that decide about it."""
STEP = 0.2
"""Part of the way from nominal to the preset's bound by which a boundary moves."""
ROUND = 20
"""Episodes with the same ranges, so that they are the same for any number of processes."""


@dataclass(frozen=True, order=True)
class Boundary:
    """One end of an axis's range."""

    axis: str
    side: Side


@dataclass
class AutomaticRandomization:
    """Ranges that grow from the nominal values towards those of a preset.

    OpenAI et al. 2019, Solving Rubik's Cube with a Robot Hand, arXiv 1910.07113. There the ranges have no end and
    belong to one training; here they end at a preset's, and the success is that of the policy that collects. Everything
    is a function of the seeds and outcomes so far, so a collection that was stopped goes on as if it had not been.

    Args:
        widest: Nominal, least and largest value of each axis.
        success: A boundary moves back below the first rate of success, and on from the second.
        first_seed: Of the collection, from which rounds are counted.
    """

    widest: Mapping[str, Range]
    success: Range
    first_seed: int
    _part: dict[Boundary, float] = field(default_factory=dict)
    _buffers: dict[Boundary, list[bool]] = field(default_factory=dict)
    _heard: list[tuple[Boundary, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for axis, (nominal, *bounds) in self.widest.items():
            for side, bound in zip(("low", "high"), bounds, strict=True):
                if bound != nominal:
                    self._part[Boundary(axis, side)] = 0.0  # type: ignore[arg-type]  # zip forgets the literals

    def ranges(self) -> dict[str, list[float]]:
        """Return the present range of each axis."""
        return {axis: [self._bound(axis, side) for side in ("low", "high")] for axis in self.widest}

    def probed(self, seed: int) -> Boundary | None:
        """Return the boundary that the episode of a seed is about; None: it is drawn from the ranges."""
        generator = np.random.default_rng([seed, 0xAD8])
        if generator.random() >= PROBED:
            return None
        boundaries = sorted(self._part)
        return boundaries[int(generator.integers(len(boundaries)))]

    def axes(self, seed: int) -> dict[str, list[float]]:
        """Return the range of each axis in the episode of a seed, as an env's `reset` takes them."""
        ranges, boundary = self.ranges(), self.probed(seed)
        if boundary is not None:
            ranges[boundary.axis] = 2 * [self._bound(boundary.axis, boundary.side)]
        return ranges

    def round_end(self, seed: int) -> int:
        """Return the first seed of the round after the one that a seed is in."""
        return seed + ROUND - (seed - self.first_seed) % ROUND

    def hear(self, seed: int, success: bool) -> None:
        """Take note of an episode's outcome; to be called in the order of seeds. Ranges change when a round ends."""
        boundary = self.probed(seed)
        if boundary is not None:
            self._heard.append((boundary, success))
        if seed + 1 == self.round_end(seed):
            for one, solved in self._heard:
                self._decide(one, solved)
            self._heard.clear()

    def _decide(self, boundary: Boundary, success: bool) -> None:
        buffer = self._buffers.setdefault(boundary, [])
        buffer.append(success)
        if len(buffer) < BUFFER:
            return
        rate, (low, high) = float(np.mean(buffer)), self.success
        buffer.clear()
        step = STEP if rate >= high else -STEP if rate < low else 0.0
        self._part[boundary] = round(float(np.clip(self._part[boundary] + step, 0.0, 1.0)), 6)

    def _bound(self, axis: str, side: Side) -> float:
        nominal, low, high = self.widest[axis]
        part = self._part.get(Boundary(axis, side), 0.0)
        return float(nominal + part * ((low if side == "low" else high) - nominal))


class History:
    """The outcomes of a collection on disk, from which its ranges follow."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def replay(self, automatic: AutomaticRandomization, *, until_seed: int) -> None:
        """Hear all outcomes before a seed again, and forget those from there on, which are not in the data set."""
        lines = [json.loads(line) for line in self._path.read_text().splitlines()] if self._path.is_file() else []
        kept = [line for line in lines if line["seed"] < until_seed]
        for line in kept:
            automatic.hear(line["seed"], line["success"])
        self._write(kept, "w")

    def append(self, automatic: AutomaticRandomization, seed: int, success: bool) -> None:
        """Write an outcome down, and hear it."""
        boundary = automatic.probed(seed)
        probed = None if boundary is None else [boundary.axis, boundary.side]
        self._write([{"seed": seed, "success": bool(success), "probed": probed, "axes": automatic.axes(seed)}], "a")
        automatic.hear(seed, success)

    def _write(self, lines: Iterable[Mapping[str, Any]], mode: Literal["a", "w"]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open(mode, encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
