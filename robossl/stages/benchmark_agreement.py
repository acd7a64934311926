"""Do policies that are better in the benchmark's source also do better in its held-out domain?"""

from collections.abc import Mapping, Sequence
from typing import Any

from robossl.evaluation.agreement import ENOUGH_POLICIES, agreement
from robossl.evaluation.retention import successes_of
from robossl.stages.benchmark_cells import Cell


def agreements(cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, source: str, target: str) -> dict[str, Any] | None:
    """Return how well success in one domain foretells that in another one, over all policies of each task.

    A policy is what one training seed of one variant made; what is scripted counts as one too.

    Returns:
        None where no task has enough policies for that.
    """
    rows = []
    for task in dict.fromkeys(cell.task for cell, _ in cells):
        results = [result for cell, result in cells if cell.task == task]
        if len(results) >= ENOUGH_POLICIES:
            here, there = (
                [float(successes_of(result["domains"][name]).mean()) for result in results] for name in (source, target)
            )
            found = agreement(source=here, target=there)
            pearson = None if found.pearson is None else round(found.pearson, 3)
            rows.append([task, found.num_policies, pearson, round(found.rank_violation, 3)])
    note = (
        f"Of tasks with {ENOUGH_POLICIES} policies or more: all variants and training seeds, on few or many "
        "demonstrations, the scripted expert and random actions. pearson: correlation of their success rates in the "
        "two domains, -1 to 1; rank_violation: mean maximum rank violation, the success that a wrong order of two "
        "policies costs, 0 is best (Li et al. 2024, arXiv 2405.05941). It says whether the order of these policies "
        "carries over. They range from never to always, which alone makes a correlation high, and training seeds of "
        "one variant are alike: it does not say that policies nearly as good as each other are told apart, nor that "
        f"success in {target} is as high; and both domains are simulators."
    )
    columns = ["task", "policies", "pearson", "rank_violation"]
    title = f"Agreement of {source} and {target}"
    return {"title": title, "columns": columns, "rows": rows, "note": note} if rows else None
