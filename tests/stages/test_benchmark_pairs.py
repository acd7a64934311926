"""Tables of pairs: the same training seeds on both sides, and all tasks or no row over all."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from measured import measured

from robossl.evaluation.training_seeds import difference_across_seeds
from robossl.stages.benchmark_cells import Cell
from robossl.stages.benchmark_pairs import differences, retentions

LABELS = {"ours": "our encoder", "other": "the other"}
Cells = list[tuple[Cell, Mapping[str, Any]]]


def cells(variant: str, by_seed: Mapping[int, tuple[int, ...]], task: str = "reach") -> Cells:
    return [
        (Cell(task=task, variant=variant, seed=seed, settings={}), measured(*outcomes))
        for seed, outcomes in by_seed.items()
    ]


def rows(found: Cells, *tasks: str) -> list[dict[str, Any]]:
    made = differences(found, tasks=tasks or ("reach",), of="ours", against=("other",), labels=LABELS)
    return [dict(zip(made["columns"], row, strict=True)) for row in made["rows"]]


def test_only_training_seeds_that_are_there_on_both_sides_are_paired() -> None:
    ours = {0: (1, 1, 1, 1), 1: (1, 1, 0, 0), 2: (1, 1, 1, 0)}
    other = {1: (0, 0, 0, 0), 2: (1, 0, 0, 0), 3: (1, 1, 1, 1)}  # as many, and others
    (row,) = rows(cells("ours", ours) + cells("other", other)[::-1])
    assert (row["than"], row["training_seeds"], row["n"], row["difference"]) == ("the other", 2, 8, 0.5)
    sides = (np.array([values[1], values[2]], bool) for values in (ours, other))
    assert [row["low"], row["high"]] == pytest.approx(difference_across_seeds(*sides)[1:], abs=6e-4)
    assert rows(cells("ours", {0: (1, 1)}) + cells("other", {1: (0, 0)})) == []


def test_only_domains_that_both_sides_know_are_compared() -> None:
    ours = [(cell, measured(1, 1, domains=("own", "randomized"))) for cell, _ in cells("ours", {0: (1,)})]
    (row,) = rows(ours + cells("other", {0: (0, 1)}))
    assert row["difference"] == 0.5


def test_a_row_over_all_tasks_needs_every_task() -> None:
    reach = cells("ours", {0: (1, 1), 1: (1, 1)}) + cells("other", {0: (0, 0), 1: (0, 1)})
    push = cells("ours", {1: (1, 0)}, "push") + cells("other", {1: (0, 0)}, "push")
    both = rows(reach + push, "reach", "push")
    assert [(row["task"], row["training_seeds"], row["n"]) for row in both] == [
        ("reach", 2, 4),
        ("push", 1, 2),
        ("all", 1, 4),
    ]
    assert both[-1]["difference"] == 0.5, "over the training seed that both tasks have"
    assert [row["task"] for row in rows(reach + push, "reach", "push", "stack")] == ["reach", "push"]
    assert [row["task"] for row in rows(reach + push[:1], "reach", "push")] == ["reach"]


def test_what_is_kept_names_its_episodes_and_training_seeds() -> None:
    found = [(cell, {"domains": {"here": result["domains"]["randomized"], "there": result["domains"]["randomized"]}})
             for cell, result in cells("ours", {0: (1,) * 34}) + cells("other", {0: (1, 0), 1: (1, 1)})]  # fmt: skip
    made = retentions(found, target="there", labels=LABELS)
    alone, two = (dict(zip(made["columns"], row, strict=True)) for row in made["rows"])
    assert (alone["training_seeds"], alone["n"], alone["retained"]) == (1, 34, 1.0)
    assert alone["low"] < 1 < alone["high"], "34 equal episodes are no proof"
    assert (two["training_seeds"], two["n"]) == (2, 4)
