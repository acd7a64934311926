"""By how much one policy succeeds more often than others, paired by episode, from evaluations of the same episodes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from robossl.evaluation.intervals import paired_difference
from robossl.report.records import RunRecord

COLUMNS = ("env", "domain", "policy", "than", "n", "difference", "low", "high")
NOTE = (
    "difference of success rates on the same episodes, with Newcombe's 95 % interval for pairs; one training seed. "
    "Policies whose episodes or renderers differ are not compared."
)


def difference_tables(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Return one table that compares the first evaluation of each env with the others, or none where there is one."""
    rows = []
    evaluations = [run for run in runs if run.command == "evaluate" and run.result.get("domains")]
    for env_id in dict.fromkeys(run.result["env_id"] for run in evaluations):
        first, *others = [run for run in evaluations if run.result["env_id"] == env_id]
        for other in others:
            rows += [[env_id.removeprefix("robossl/"), *row] for row in _rows(first, other)]
    title = "Paired differences of success rates"
    return [{"title": title, "columns": list(COLUMNS), "rows": rows, "note": NOTE}] if rows else []


def _rows(first: RunRecord, other: RunRecord) -> list[list[Any]]:
    rows = []
    for domain, cell in first.result["domains"].items():
        against = other.result["domains"].get(domain)
        if against and _conditions(cell) == _conditions(against):
            successes = [np.array([episode["success"] for episode in one["episodes"]], bool) for one in (cell, against)]
            value, low, high = paired_difference(*successes)
            rows.append([domain, first.name, other.name, len(cell["episodes"]), value, low, high])
    return rows


def _conditions(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    return cell["renderer"], *(episode["seed"] for episode in cell["episodes"])
