"""Panels of success rates: who is who."""

import re
from pathlib import Path
from typing import Any

from robossl.report.records import RunRecord
from robossl.report.success import rates_of, success_section


def _table(rows: list[tuple[str, str]]) -> dict[str, Any]:
    columns = ["task", "encoder", "domain", "success_rate", "low", "high"]
    return {"title": "t", "columns": columns, "rows": [[*row, "randomized", 0.5, 0.4, 0.6] for row in rows]}


def _colors(rows: list[tuple[str, str]]) -> list[str]:
    return re.findall(r'class="rate (c\d)"', success_section(rates_of((), [_table(rows)])))


def test_a_policy_has_one_colour_in_all_panels() -> None:
    rows = [("push", "ours"), ("push", "simclr"), ("push", "expert"), ("stack", "expert"), ("stack", "ours")]
    assert _colors(rows) == ["c0", "c1", "c2", "c2", "c0"]


def test_a_panel_of_other_policies_begins_with_the_first_colour() -> None:
    rows = [("push", "ours"), ("push", "expert"), ("shifts", "push"), ("shifts", "stack")]
    assert _colors(rows) == ["c0", "c1", "c0", "c1"]


def _run(path: Path, command: str, **result: Any) -> RunRecord:
    return RunRecord(path=path, name=path.name, command=command, config="", result=result)


def test_a_run_of_its_own_is_drawn_beside_one_that_compares(tmp_path: Path) -> None:
    def one(policy: str) -> dict[str, Any]:
        columns = ["policy", "domain", "success_rate", "low", "high"]
        return {"title": "t", "columns": columns, "rows": [[policy, "randomized", 0.5, 0.4, 0.6]]}

    env_id = "robossl/PandaReach-v0"
    runs = [
        _run(tmp_path / "transfer", "transfer", env_id=env_id, tables=[one("ours")]),
        _run(tmp_path / "transfer/ours-randomized", "evaluate", env_id=env_id, tables=[one("runs/it/policy")]),
        _run(tmp_path / "alone", "evaluate", env_id=env_id, tables=[one("runs/other/policy")]),
    ]
    assert [(rate.panel, rate.series) for rate in rates_of(runs, [])] == [
        ("PandaReach-v0", "ours"),
        ("PandaReach-v0", "other"),
    ]


def test_where_nobody_is_named_tasks_are_compared() -> None:
    columns = ["task", "domain", "success_rate", "low", "high"]
    table = {"title": "Under single shifts", "columns": columns, "rows": [["push", "shift: light", 0.5, 0.4, 0.6]]}
    (rate,) = rates_of((), [table])
    assert (rate.panel, rate.domain, rate.series) == ("Under single shifts", "shift: light", "push")
