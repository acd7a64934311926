"""How often a policy succeeds in each domain, on the same episode seeds everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from jaxtyping import Bool

from robossl.evaluation.intervals import wilson
from robossl.evaluation.worlds import world_of
from robossl.rollout import SOLVED_DRAWS
from robossl.runs import fingerprint
from robossl.types import Episode

COLUMNS = ("policy", "domain", "renderer", "n", "successes", "success_rate", "low", "high", "steps", "redrawn")
NOTE = (
    "success_rate with Wilson's 95 % interval; episode seeds are the same in each domain; steps: mean length of the "
    "successful episodes; redrawn: layouts thrown away because they were solved from the start or things lay too close."
)


@dataclass(frozen=True, kw_only=True)
class EpisodeOutcome:
    """What is kept of one evaluation episode."""

    seed: int
    success: bool
    steps: int
    redrawn: int
    renderer: str
    trace: str = ""
    """Digest of all states and actions: the same only if the episode ran the same to the last digit."""


@dataclass(frozen=True, kw_only=True)
class SuccessCell:
    """The episodes of one policy in one domain."""

    policy: str
    domain: str
    outcomes: tuple[EpisodeOutcome, ...] = field(default=())
    changes: Mapping[str, Any] = field(default_factory=dict)
    """How the world differs from the domain: what `changes_of` returns."""

    @property
    def successes(self) -> Bool[np.ndarray, " n"]:
        """Success of each episode, in the order of the seeds."""
        return np.array([outcome.success for outcome in self.outcomes], bool)

    def row(self) -> list[Any]:
        """Return the values of `COLUMNS`; a domain that was changed says how."""
        n, count = len(self.outcomes), int(self.successes.sum())
        low, high = wilson(count, n)
        steps = [outcome.steps for outcome in self.outcomes if outcome.success]
        renderers = sorted({outcome.renderer for outcome in self.outcomes})
        redrawn = sum(outcome.redrawn for outcome in self.outcomes)
        rate = count / n if n else 0.0
        mean_steps = round(float(np.mean(steps)), 1) if steps else None
        world = world_of(self.domain, self.changes)
        return [self.policy, world, "+".join(renderers), n, count, rate, low, high, mean_steps, redrawn]

    def as_json(self) -> dict[str, Any]:
        """Return the row by name, what was changed, and each episode, so that others can pair their own with them."""
        episodes = [
            {"seed": outcome.seed, "success": outcome.success, "steps": outcome.steps} for outcome in self.outcomes
        ]
        traces = [outcome.trace for outcome in self.outcomes]
        row = dict(zip(COLUMNS, self.row(), strict=True)) | {"domain": self.domain} | dict(self.changes)
        return row | {"episodes": episodes, "trace": fingerprint(traces)[:8]}


def outcome_of(episode: Episode) -> EpisodeOutcome:
    """Return what is kept of an episode."""
    return EpisodeOutcome(
        seed=episode.seed,
        success=episode.success,
        steps=len(episode),
        redrawn=int(episode.variations.get(SOLVED_DRAWS, 0)),
        renderer=episode.renderer,
        trace=blake2b(episode.environment_state.tobytes() + episode.actions.tobytes(), digest_size=8).hexdigest(),
    )


def success_table(cells: Sequence[SuccessCell], *, title: str) -> dict[str, Any]:
    """Return the table of all cells, as results hold tables: title, columns, rows, note."""
    return {"title": title, "columns": list(COLUMNS), "rows": [cell.row() for cell in cells], "note": NOTE}
