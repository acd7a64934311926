"""When actions take effect, and how long control steps are."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from robossl_envs.randomization.draw import Draw
from robossl_envs.simulation.simulation import SUBSTEPS, TIMESTEP_S

Action = Float[np.ndarray, " A"]


class Part(NamedTuple):
    """A piece of a control step."""

    action: Action | None
    """What arrives at its beginning; None: the one before goes on."""
    num_substeps: int


class Timing:
    """Splits control steps where a delayed action arrives. Without delay and jitter each step is one part."""

    def __init__(self, draw: Draw) -> None:
        self._delay = round(draw.number("action_delay", 0.0) / TIMESTEP_S)
        self._lengths = [round(length) for length in draw.numbers("rate_jitter.substeps")]
        self._now = self._num_steps = 0
        self._underway: list[tuple[int, Action]] = []
        self._unfinished: list[tuple[int, Action]] = []

    def parts(self, action: Action) -> Iterator[Part]:
        """Send an action and yield the parts of the control step, in order."""
        self._underway.append((self._now + self._delay, action))
        if self._delay:
            self._unfinished.append(self._underway[-1])
        end = self._now + self._length()
        self._num_steps += 1
        while self._now < end:
            arrived = [sent for time, sent in self._underway if time <= self._now]
            self._underway = [(time, sent) for time, sent in self._underway if time > self._now]
            until = min([end, *(time for time, _ in self._underway)])
            part = Part(arrived[-1] if arrived else None, until - self._now)
            self._now = until
            yield part

    def unfinished(self) -> Action | float:
        """Return the sum of the parts of delayed actions that have still to take effect; 0 where there is no delay."""
        self._unfinished = [(time, sent) for time, sent in self._unfinished if time + SUBSTEPS > self._now]
        shares = (min(time + SUBSTEPS - self._now, SUBSTEPS) / SUBSTEPS for time, _ in self._unfinished)
        return sum(share * np.clip(sent, -1.0, 1.0) for share, (_, sent) in zip(shares, self._unfinished, strict=True))

    def _length(self) -> int:
        """Return the physics steps of the control step; past the end of what was drawn it is the usual number."""
        return self._lengths[self._num_steps] if self._num_steps < len(self._lengths) else SUBSTEPS
