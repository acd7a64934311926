"""Which way of drawing is the fastest here: each is tried on the first episodes, which count as any others."""

import logging
import time
from collections.abc import Sequence
from typing import get_args

from robossl.rollout.workers import Way

logger = logging.getLogger(__name__)
DEFAULT: Way = "episode"
"""Where there are too few episodes to try anything, and where nothing else is clearly faster."""
CLEARLY = 1.05
TRIED_EPISODES = 2
"""Of each process with each way."""
LEAST_EPISODES = 14
"""Of each process: with fewer, trying costs more than it can give."""
WORDS: dict[Way, str] = {
    "step": "each process its own at every step",
    "episode": "each process its own, a whole episode at a time",
    "central": "one process for all, a whole episode at a time",
}


class Calibration:
    """Tells with which way each episode is made, and learns from how long they take.

    The first episode of each process warms it up. Then each way has its turn, alone: `is_turn_over` says when to wait
    for what is under way.
    """

    def __init__(self, num_episodes: int, *, num_processes: int, known: Way | None = None) -> None:
        ways = get_args(Way) if num_processes > 1 else ("step", "episode")
        few = num_episodes < LEAST_EPISODES * num_processes
        self.fastest: Way | None = known or (DEFAULT if few else None)
        self._turns: list[tuple[Way, int]] = [(DEFAULT, num_processes)]
        self._turns += [(way, TRIED_EPISODES * num_processes) for way in ways]
        self._rates: list[float] = []
        self._given = self._steps = self._done = 0
        self._start_s = 0.0

    def way(self) -> Way | None:
        """Return the way of the next episode; None: what is under way has to come back first."""
        if self.fastest:
            return self.fastest
        way, length = self._turns[len(self._rates)]
        if self._given == length:
            return None
        if self._given == 0:
            self._start_s = time.perf_counter()
        self._given += 1
        return way

    def came_back(self, num_steps: int, at_s: float) -> None:
        """Learn that an episode of this many steps was there, pictures and all, at this time [`perf_counter`]."""
        if self.fastest:
            return
        self._steps, self._done = self._steps + num_steps, self._done + 1
        if self._done == self._turns[len(self._rates)][1]:
            self._rates.append(self._steps / (at_s - self._start_s))
            self._given = self._steps = self._done = 0
        if len(self._rates) == len(self._turns):
            self.fastest = self._choose(self._rates[1:])

    def _choose(self, rates: Sequence[float]) -> Way:
        rate = {way: value for (way, _), value in zip(self._turns[1:], rates, strict=True)}
        best = max(rate, key=lambda way: rate[way] * (CLEARLY if way == DEFAULT else 1))
        found = ", ".join(f"{WORDS[way]}: {value:.0f}" for way, value in rate.items())
        logger.info("pictures are drawn by %s (steps a second: %s)", WORDS[best], found)
        return best
