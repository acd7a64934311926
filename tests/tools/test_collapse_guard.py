"""The table of alarms counts what was done to a run, not how it looked in the end."""

import argparse
import json
from pathlib import Path
from types import ModuleType

import pytest
from tool_module import load_tool

LINE = "the features collapse since step 10 (seen at step 20 on 128 images): spread 0.1, 0.6 at the start: the images"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("collapse_guard")


def test_every_case_has_a_cell_of_its_own(tool: ModuleType) -> None:
    names = [case.name for case in (*tool.COLLAPSING, *tool.HEALTHY)]
    assert len(set(names)) == len(names)
    assert len(tool.COLLAPSING) >= 20
    assert len(tool.HEALTHY) == 20


def test_alarms_are_counted_on_each_side(tool: ModuleType, tmp_path: Path) -> None:
    cells = tmp_path / "collapse"
    cells.mkdir()
    for case, alarm in ((tool.COLLAPSING[0], [LINE]), (tool.COLLAPSING[1], []), (tool.HEALTHY[0], [])):
        value = {"case": case.name, "done": case.done, "alarm": alarm, "health/spread": 0.1}
        (cells / f"{case.name}.json").write_text(json.dumps(value))
    tool._write_table(argparse.Namespace(cells=cells))
    text = cells.with_suffix(".md").read_text()
    assert "1 of 2 (9 to 91 %) of the runs that were made to collapse, 0 of 1 " in text
    assert "| vicreg | regularizer dropped | yes | 20 | spread | – | 0.1 | – |" in text
