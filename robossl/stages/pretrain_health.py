"""The watch against collapse while an encoder is trained: a loss may fall while all images become one."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from robossl.encoders import Encoder
from robossl.evaluation.health import Health
from robossl.stages.best_encoder import BestEncoder
from robossl.stages.health_frames import HealthFrames

EVERY_LOGS = 10
"""Rows of metrics from one look at the features to the next."""
PREFIX = "health/"
logger = logging.getLogger(__name__)


class HealthWatch:
    """Looks at the features of the same held-out frames each time; warns once of a collapse, and keeps the best."""

    def __init__(self, frames: HealthFrames, fresh: Encoder, *, best: BestEncoder) -> None:
        """Look at the encoder before its first step: what is lost later is lost beside that."""
        self.best = best
        self.collapsed_since: int | None = None
        """Finished steps at the first of the looks in a row that found a collapse; None if the last one found none."""
        self._frames = frames
        self._fresh = frames.health(fresh)
        self._said = False

    def look(self, encoder: Encoder, *, step: int) -> Health:
        """Return the health of the encoder after so many steps; the first time that it is bad, say so."""
        health = self._frames.health(encoder)
        faults = self._note(health, step=step)
        if faults and not self._said:
            self._said = True
            logger.warning(
                "the features collapse since step %d (seen at step %d on %d images): %s; lower learning_rate, or add "
                "an objective that tells images apart, such as paired_looks",
                self.collapsed_since,
                step,
                self._frames.num_spread,
                " and ".join(faults),
            )
        self.best.offer(encoder, health, step=step, collapsed=bool(faults))
        return health

    def resume(self, step: int, rows: Iterable[Mapping[str, Any]]) -> None:
        """Go on after so many steps with what earlier looks found, which the rows of metrics tell."""
        self.best.resume(step)
        for row in rows:
            found = {name.removeprefix(PREFIX): value for name, value in row.items() if name.startswith(PREFIX)}
            if found:
                self._note(Health(**found), step=row["step"] + 1)

    def hook(self, encoder: Encoder, *, is_first: bool) -> Callable[[int], Mapping[str, float]]:
        """Return what the training loop calls; only the first process looks, since all have the same encoder."""

        def watch(done: int) -> Mapping[str, float]:
            return self.look(encoder, step=done).metrics() if is_first else {}

        return watch

    def _note(self, health: Health, *, step: int) -> list[str]:
        faults = health.faults(self._fresh)
        if not faults:
            self.collapsed_since = None
        elif self.collapsed_since is None:
            self.collapsed_since = step
        return faults
