"""Tables of pairs of the benchmark: what is kept in another domain, and how much better one variant is than others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from robossl.evaluation.retention import retained
from robossl.evaluation.training_seeds import INTERVAL, difference_across_seeds
from robossl.stages.benchmark_cells import (
    ALL_TASKS,
    Cell,
    Outcomes,
    by_policy,
    common_seeds,
    domains_of,
    outcomes,
    side_by_side,
    tasks_and_all,
)


def retentions(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, target: str, labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return what each variant keeps in one domain of its success in its source, the first of its domains."""
    rows = []
    for first, found in by_policy(cells):
        source = domains_of(found)[0]
        there, here = (side_by_side([outcomes(found, domain)], list(found)) for domain in (target, source))
        kept = retained(there, here)
        if kept is not None:
            rows.append([first.task, first.label(labels), source, len(here), here.size, *_rounded(kept)])
    note = (
        f"Success in {target} over that in the source, on the same n episodes. Interval: 95 %, {INTERVAL} the paired "
        "score interval of the ratio of all episodes. Where a policy seldom succeeds in the source it says little."
    )
    columns = ["task", "encoder", "source", "training_seeds", "n", "retained", "low", "high"]
    return {"title": f"What is kept in {target}", "columns": columns, "rows": rows, "note": note}


def differences(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]],
    *,
    tasks: Sequence[str],
    of: str,
    against: Sequence[str],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Return by how much one variant succeeds more often than others, paired by training seed and episode.

    Args:
        cells: All cells.
        tasks: All tasks; with several there are rows over all of them too, where both were measured on each.
        of: The variant.
        against: The others.
        labels: Words for the variants.
    """
    rows = []
    for (task, label, domain), parts in _pairs(cells, tasks=tasks, of=of, against=against, labels=labels).items():
        seeds = common_seeds([side for sides in parts for side in sides])
        if seeds and len(parts) == (len(tasks) if task == ALL_TASKS else 1):
            ours, theirs = (side_by_side(side, seeds) for side in zip(*parts, strict=True))
            difference = difference_across_seeds(ours, theirs)
            rows.append([task, label, domain, len(seeds), ours.size, *_rounded(difference)])
    columns = ["task", "than", "domain", "training_seeds", "n", "difference", "low", "high"]
    note = (
        "Difference of success rates, paired by training seed and episode: the training_seeds that both have, n pairs. "
        f"{ALL_TASKS}: over all tasks, where both were measured on each. Interval: 95 %, {INTERVAL} Newcombe's of all "
        "pairs; where there is one training seed it tells nothing of others."
    )
    return {"title": f"How much better is: {labels.get(of, of)}", "columns": columns, "rows": rows, "note": note}


def _pairs(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]],
    *,
    tasks: Sequence[str],
    of: str,
    against: Sequence[str],
    labels: Mapping[str, str],
) -> dict[tuple[str, str, str], list[tuple[Outcomes, Outcomes]]]:
    """Return the outcomes of both sides, one pair for each task behind a row, by task, label and domain."""
    known = {first.name: (first, found) for first, found in by_policy(cells)}
    ours = [both for both in known.values() if both[0].variant == of]
    pairs: dict[tuple[str, str, str], list[tuple[Outcomes, Outcomes]]] = {}
    for task in tasks_and_all(tasks):
        for first, found in (both for both in ours if task in (both[0].task, ALL_TASKS)):
            others = [known.get(replace(first, variant=name).name) for name in against]
            for second, measured in (other for other in others if other is not None):
                for domain in (name for name in domains_of(found) if name in domains_of(measured)):
                    sides = outcomes(found, domain), outcomes(measured, domain)
                    pairs.setdefault((task, second.label(labels), domain), []).append(sides)
    return pairs


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 3) for value in values]
