"""The table of action use: clips start everywhere, and their actions are those up to the frame that is predicted."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("action_use_tool", ROOT / "tools/action_use.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["action_use_tool"] = module
    spec.loader.exec_module(module)
    return module


def test_clips_end_at_the_horizon(tool: ModuleType) -> None:
    columns = {tool.ACTION_KEY: np.arange(26.0).reshape(13, 2), tool.KEY: np.arange(13.0)[:, None] * np.ones(9)}
    source = SimpleNamespace(values=lambda episode, rows, key: columns[key][rows])
    embedded = np.arange(13.0)[:, None]
    start, end, actions, truth, episode = tool._clips(SimpleNamespace(source=source), 5, embedded, 10)
    assert start[:, 0].tolist() == [0, 1, 2]
    assert end[:, 0].tolist() == [10, 11, 12]
    assert actions[1].tolist() == list(range(2, 22))
    assert truth[:, 3].tolist() == [1000, 1100, 1200]
    assert episode.tolist() == [5, 5, 5]


def test_the_table_has_a_row_for_each_quantity(tool: ModuleType, tmp_path: Path) -> None:
    cells = tmp_path / "cells"
    cells.mkdir()
    use = {"n": 40} | {column: [2.0, 1.5, 2.25] for column in tool.COLUMNS}
    (cells / "0.json").write_text(json.dumps({"key": "", "seed": 0, "used": dict.fromkeys(tool.TARGETS, use)}))
    tool._write_table(argparse.Namespace(cells=cells))
    rows = [row for row in cells.with_suffix(".md").read_text().splitlines() if row.startswith("| 0 |")]
    assert [row.split(" | ")[1] for row in rows] == list(tool.TARGETS)
    assert rows[0].count("2.00 (1.50 to 2.25)") == len(tool.COLUMNS)
