"""The benchmark's best recipe under single shifts: what each of them alone takes away."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from robossl.config.evaluate import EvaluateConfig
from robossl.config.transfer import in_shift
from robossl.evaluation.retention import COLUMNS, IDLE_NOTE, MEASURED, retained_of
from robossl.stages.benchmark_cells import Cell

PLAIN = "nominal"
NOTHING = "nothing"
"""Stands among the shifts for the plain world, which success under each of them is compared with."""


def measured_under(how: EvaluateConfig, shift: str) -> EvaluateConfig:
    """Return a measurement in the plain world, with this alone changed."""
    return replace(how, domains=(PLAIN,)) if shift == NOTHING else in_shift(how, shift)


def world_under(shift: str) -> str:
    """Return the words for the plain world with this alone changed."""
    return PLAIN if shift == NOTHING else f"shift: {shift}"


def shift_table(cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, of: str) -> dict[str, Any]:
    """Return success under each shift of the policies `of`, and what it leaves of that in the plain world."""
    plain = {cell.task: result["domains"][PLAIN] for cell, result in cells if cell.shift == NOTHING}
    rows = []
    for cell, result in (item for item in cells if item[0].task in plain):
        found, reference = result["domains"][PLAIN], plain[cell.task]
        kept = retained_of(found, reference, is_same=cell.shift == NOTHING)
        counts = [found[column] for column in MEASURED]
        rows.append([cell.task, world_under(cell.shift or NOTHING), *_rounded(counts), *_rounded(kept), PLAIN])
    note = (
        f"Policies of the first training seed ({of}) in {PLAIN}, each shift alone and as far off as preset `shifted` "
        f"goes. Wilson's 95 % interval; retained: over the rate without the shift. {IDLE_NOTE}"
    )
    return {"title": "Under single shifts", "columns": ["task", *COLUMNS[1:]], "rows": rows, "note": note}


def _rounded(values: Sequence[Any]) -> list[Any]:
    return [round(value, 3) if isinstance(value, float) else value for value in values]
