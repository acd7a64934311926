"""The few facts about a run that its card shows: what came of it, in words and units."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

from robossl.evaluation.worlds import world_of
from robossl.report.html import number
from robossl.report.records import RunRecord
from robossl.report.words import percent

_MOST = 4
_PHRASES = {
    "num_episodes": "{} episodes",
    "num_frames": "{} frames",
    "num_steps": "{} training steps",
    "steps_of_demonstrations": "imitates {} demonstrated actions",
    "loss": "loss {} at the end",
    "health/effective_rank": "features use about {} directions",
    "images_per_s": "{} images per second",
    "act_ms": "{} ms a decision on one core",
    "drawing_views_per_s": "{} views drawn per second",
}
_LEFT_OUT = ("first_step", "data_wait_fraction", "new_attempts")
"""Of use to who looks for a fault, in `result.json`."""


def facts_of(run: RunRecord, *, world: str = "") -> list[str]:
    """Return lines for the card of a run: results for measurements, sizes for what was made.

    Args:
        run: The run.
        world: What readers call the world that it measured in; empty: as its result tells it.
    """
    if not run.result:
        return ["not finished"]
    measured = [*_successes(run.result, world), *_errors(run.result)]
    counted = [
        _phrase(name, float(value) if name == "loss" else value)
        for name, value in run.result.items()
        if isinstance(value, Real) and not isinstance(value, bool) and name not in _LEFT_OUT
    ]
    return [*measured, *([" · ".join(counted[:_MOST])] if counted else [])]


def _phrase(name: str, value: Any) -> str:
    if name == "success_rate":
        return f"{percent(value)} of the attempts succeeded"
    if name in _PHRASES:
        return _PHRASES[name].format(number(value))
    return f"{name.removeprefix('num_').rsplit('/', 1)[-1].replace('_', ' ')} {number(value)}"


def _successes(result: Mapping[str, Any], world: str) -> list[str]:
    """Return the success of an evaluation, domain by domain."""
    cells = {domain: cell for domain, cell in result.get("domains", {}).items() if cell.get("success_rate") is not None}
    rates = " · ".join(
        f"{world or world_of(domain, cell)} {percent(cell['success_rate'])}" for domain, cell in cells.items()
    )
    return [f"success: {rates}"] if rates else []


def _errors(result: Mapping[str, Any]) -> list[str]:
    """Return how far off a probe is in each data set, on the features of the encoder."""
    found: dict[str, list[str]] = {}
    for table in result.get("tables", ()):
        for values in table["rows"]:
            row = dict(zip(table["columns"], values, strict=True))
            if row.get("features") == "encoder" and row.get("mean_error") is not None:
                error = f"{row['target']} off by {number(row['mean_error'])} {row.get('unit', '').strip('-')}"
                found.setdefault(str(row["data"]), []).append(error.strip())
    return [f"{data}: {', '.join(errors)}" for data, errors in found.items()]
