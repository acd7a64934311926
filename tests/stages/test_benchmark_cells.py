"""Cells outlive the runs that made them, and are joined into tables."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from measured import measured

from robossl.config.recipe import NAMES
from robossl.evaluation.intervals import wilson
from robossl.stages.benchmark_cells import COLUMNS, Cell, as_markdown, by_demonstrations, table


def cell(variant: str = "pretrained", seed: int = 0, **settings: Any) -> Cell:
    return Cell(task="reach", variant=variant, seed=seed, settings=settings)


def never() -> dict[str, Any]:
    raise AssertionError("a cell that is there was measured again")


def test_a_cell_that_is_there_is_not_measured_again(tmp_path: Path) -> None:
    first = cell(num_steps=3).get(tmp_path, lambda: measured(1, 0))
    assert cell(num_steps=3).get(tmp_path, never) == first
    assert json.loads((tmp_path / "reach-pretrained-0.json").read_text())["settings"] == {"num_steps": 3}
    assert "tables" not in first


def test_changed_settings_another_seed_and_another_version_measure_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell(num_steps=3).get(tmp_path, lambda: measured(1))
    assert cell(num_steps=4).read(tmp_path) is None
    assert cell(num_steps=3, seed=1).read(tmp_path) is None
    assert cell("random", num_steps=3).read(tmp_path) is None
    monkeypatch.setattr("robossl.stages.benchmark_cells.__version__", "9.9.9")
    assert cell(num_steps=3).read(tmp_path) is None
    again = cell(num_steps=4).get(tmp_path, lambda: measured(0))
    assert again["domains"]["randomized"]["success_rate"] == 0
    assert cell(num_steps=4).read(tmp_path) == again


def test_a_failed_measurement_leaves_no_cell(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        cell().get(tmp_path, lambda: {"domains": 1 / 0})
    assert list(tmp_path.iterdir()) == []


def test_the_table_joins_training_seeds() -> None:
    results = [measured(1, 1, 0, 1), measured(1, 0, 0, 1), measured(1, 1, 1, 1)]
    found = [(cell(seed=seed), result) for seed, result in enumerate(results)]
    joined = table([*found, (cell("expert"), measured(1, 1, 1, 0))], labels=NAMES)
    assert joined["columns"] == list(COLUMNS)
    trained, scripted = (dict(zip(COLUMNS, row, strict=True)) for row in joined["rows"])
    assert (trained["encoder"], trained["n"], trained["each_seed"]) == ("pretrained, frozen", 12, "0.75 0.50 1.00")
    assert trained["success_rate"] == 0.75
    low, high = wilson(9, 12)
    assert trained["low"] <= round(low, 3), "never narrower than Wilson's"
    assert trained["high"] >= round(high, 3)
    assert (scripted["encoder"], scripted["n"]) == ("none: scripted expert", 4)
    assert (scripted["low"], scripted["high"]) == tuple(round(value, 3) for value in wilson(3, 4))


def test_renderers_that_were_mixed_are_all_named() -> None:
    other = measured(1, 1)
    other["domains"]["randomized"] = other["domains"]["randomized"] | {"renderer": "mujoco-egl"}
    rows = table([(cell(), measured(1, 1)), (cell(seed=1), other)], labels=NAMES)["rows"]
    assert [row[3] for row in rows] == ["mujoco-egl+tiny"]


def test_success_by_demonstrations_is_averaged_over_tasks_that_were_all_measured() -> None:
    outcomes = {("reach", None): (1, 1), ("push", None): (1, 0), ("reach", 10): (0, 0)}
    cells = [
        (replace(cell(seed=seed), task=task, num_demonstrations=count), measured(*found))
        for (task, count), found in outcomes.items()
        for seed in (0, 1)
    ]
    scripted = (cell("expert"), measured(1, 1))
    tasks = ("reach", "push")
    made = by_demonstrations(
        [*cells, scripted], tasks=tasks, usual=25, leave_out=("expert",), labels={"pretrained": "ours"}
    )
    assert made is not None
    rows = {(row[0], row[2]): dict(zip(made["columns"], row, strict=True)) for row in made["rows"]}
    assert {key: row["success_rate"] for key, row in rows.items()} == {
        ("reach", 25): 1.0, ("push", 25): 0.5, ("reach", 10): 0.0, ("all", 25): 0.75,
    }  # fmt: skip
    assert {row["encoder"] for row in rows.values()} == {"ours"}
    assert (rows["all", 25]["training_seeds"], rows["all", 25]["n"]) == (2, 8)
    assert all(row["low"] <= row["success_rate"] <= row["high"] for row in rows.values())
    few = [item for item in cells if item[0].num_demonstrations is None]
    assert by_demonstrations(few, tasks=tasks, usual=25, leave_out=(), labels={}) is None  # nothing to plot against


def test_a_mean_over_tasks_is_over_all_of_them_and_over_the_training_seeds_that_each_has() -> None:
    counted = [(10, "reach", (0, 1)), (None, "reach", (0, 1)), (None, "push", (1, 2))]
    cells = [
        (replace(cell(seed=seed), task=task, num_demonstrations=count), measured(int(seed == 1)))
        for count, task, seeds in counted
        for seed in seeds
    ]
    how: dict[str, Any] = {"usual": 25, "leave_out": (), "labels": {}}
    made = by_demonstrations(cells, tasks=("reach", "push"), **how)
    assert made is not None
    every = [dict(zip(made["columns"], row, strict=True)) for row in made["rows"] if row[0] == "all"]
    assert [(row["demonstrations"], row["training_seeds"], row["n"], row["success_rate"]) for row in every] == [
        (25, 1, 2, 1.0)
    ]
    made = by_demonstrations(cells, tasks=("reach", "push", "stack"), **how)
    assert made is not None
    assert {row[0] for row in made["rows"]} == {"reach", "push"}, "one task was not measured"


def test_markdown_has_a_line_a_row_under_a_header() -> None:
    rows = [["reach", 4], ["push", 8]]
    text = as_markdown({"title": "Made", "columns": ["task", "n"], "rows": rows, "note": "made up"})
    assert text == "**Made**\n\n| task | n |\n|---|---|\n| reach | 4 |\n| push | 8 |\n\nmade up\n"
