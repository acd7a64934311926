"""By how much the policy on the pretrained encoder succeeds more often than others, paired by episode."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from robossl.evaluation.intervals import paired_difference
from robossl.evaluation.worlds import CHANGES, world_of
from robossl.report.records import RunRecord

NOTE = (
    "Difference of success rates on the same episodes in percentage points, above 0 where the first policy is better; "
    "in brackets Newcombe's 95 % interval for pairs: only one without 0 in it tells the two apart. One training seed. "
    "Policies whose episodes, renderers or worlds differ are not compared (–)."
)


def difference_tables(runs: Sequence[RunRecord], *, labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return one table that compares a policy of each env with the others, or none where there is only one.

    That policy is the one cloned on a pretrained encoder, against all others that were cloned; where no run says what
    was cloned on which encoder, it is the first one, against all others.

    Args:
        runs: All runs of the page; those that cloned the policies tell of their encoders.
        labels: Name of a run to what readers call it.
    """
    evaluations = [run for run in runs if run.command == "evaluate" and run.result.get("domains")]
    met = list(dict.fromkeys(world for run in evaluations for world in _cells(run)))
    pairs = []
    for env_id in dict.fromkeys(run.result["env_id"] for run in evaluations):
        first, *others = _ordered([run for run in evaluations if run.result["env_id"] == env_id], runs)
        for other in others:
            cells = {world: _difference(first, other, world) for world in met}
            if any(cells.values()):
                names = [(labels or {}).get(run.name, run.name) for run in (first, other)]
                pairs.append(([env_id.removeprefix("robossl/"), *names], cells))
    plain = {domain for run in evaluations for domain in run.result["domains"]}
    # a world that was changed is no column where nobody is compared in it
    worlds = [world for world in met if world in plain or any(cells[world] for _, cells in pairs)]
    rows = [[*names, *(cells[world] for world in worlds)] for names, cells in pairs]
    columns = ["env", "policy", "compared_with", *worlds]
    title = "How much more often one policy succeeds than another"
    return [{"title": title, "columns": columns, "rows": rows, "note": NOTE}] if rows else []


def _ordered(evaluations: Sequence[RunRecord], runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the policy to compare first; with a pretrained one what was not cloned is left out."""
    cloned_on = {
        digest: run.result.get("inputs", {}).get("encoder", "")
        for run in runs
        if run.command == "finetune"
        for digest in run.outputs.values()
    }
    encoders = {run.name: cloned_on.get(run.result.get("inputs", {}).get("policy", "")) for run in evaluations}
    # an encoder with random weights is named, only one that was saved has a digest
    first = next((run for run in evaluations if (encoders[run.name] or "").startswith("sha256:")), None)
    if first is None:
        return list(evaluations)
    return [first, *(run for run in evaluations if run is not first and encoders[run.name] is not None)]


def _cells(run: RunRecord) -> dict[str, Mapping[str, Any]]:
    """Return what was measured, by world."""
    return {world_of(domain, cell): cell for domain, cell in run.result["domains"].items()}


def _difference(first: RunRecord, other: RunRecord, world: str) -> str | None:
    found = [_cells(run).get(world) for run in (first, other)]
    cells = [cell for cell in found if cell]
    if len(cells) < 2 or _conditions(cells[0]) != _conditions(cells[1]):
        return None
    successes = [np.array([episode["success"] for episode in cell["episodes"]], bool) for cell in cells]
    value, low, high = (100 * part for part in paired_difference(*successes))
    return f"{value:+.0f} ({low:+.0f} to {high:+.0f})"


def _conditions(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    changes = [cell.get(name) for name in CHANGES]
    return cell["renderer"], changes, *(episode["seed"] for episode in cell["episodes"])
