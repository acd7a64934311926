"""The table of experts grows over many runs, and a cell is measured again when its env behaves otherwise."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from tool_module import load_tool


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("expert_table")


def test_a_cell_goes_on_where_it_was_and_starts_anew_in_another_world(tool: ModuleType, tmp_path: Path) -> None:
    cell = tool.Cell(task="reach", arm="panda", setting="nominal")
    tool._measure(cell, tmp_path, 2)
    first = json.loads(cell.path(tmp_path).read_text())
    assert len(first["episodes"].split()) == 2
    marked = {**first, "episodes": "-50 -50"}  # the two are not run again
    cell.path(tmp_path).write_text(json.dumps(marked))
    tool._measure(cell, tmp_path, 4)
    grown = json.loads(cell.path(tmp_path).read_text())
    assert grown["key"] == first["key"]
    assert grown["episodes"].startswith("-50 -50 ")
    assert len(grown["episodes"].split()) == 4
    cell.path(tmp_path).write_text(json.dumps({**marked, "key": "of another world"}))
    tool._measure(cell, tmp_path, 2)
    assert json.loads(cell.path(tmp_path).read_text()) == first


def test_disturbed_experts_have_cells_of_their_own_and_the_page_shows_both(tool: ModuleType, tmp_path: Path) -> None:
    calm = tool.Cell(task="reach", arm="panda", setting="nominal")
    mild, wild = (tool.Cell(task="reach", arm="panda", setting="randomized", noise=noise) for noise in tool.NOISES)
    assert {calm, mild, wild} <= set(tool._cells())
    folder = tmp_path / "experts"
    for cell in (calm, mild, wild):
        tool._measure(cell, folder, 3)
    off_mm = [sum(map(float, json.loads(cell.path(folder).read_text())["off_mm"].split())) for cell in (mild, wild)]
    assert 0 < off_mm[0] < off_mm[1]
    tool._write_page(folder)
    calm_rows, noisy_rows = (tmp_path / "experts.md").read_text().split("## Disturbed")
    assert "| reach | Panda | nominal | 3 | 1.000 |" in calm_rows
    assert noisy_rows.count("| reach | 0.15 | 3 |") == noisy_rows.count("| reach | 0.3 | 3 |") == 1
