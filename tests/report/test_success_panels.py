"""Panels of success rates: who is who."""

import re
from typing import Any

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
