"""Dynamics on features that hold the state listen to the actions that move it."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tool_module import load_tool


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("action_use")


def episodes(tool: ModuleType, first: int, number: int) -> object:
    """Return episodes in which actions move the gripper, and all else rests."""
    generator = np.random.default_rng(first)
    actions = generator.normal(size=(number, 16, 3)) + generator.normal(size=(number, 1, 3))
    state = np.repeat(generator.normal(scale=5, size=(number, 1, 9)), 16, axis=1)
    state[:, 1:, :3] += np.cumsum(actions[:, :-1], axis=1)
    mixing = np.random.default_rng(7).normal(size=(9, 12))
    return tool.Episodes(number=np.arange(first, first + number), features=state @ mixing, actions=actions, state=state)


def test_shuffled_actions_mislead_trained_dynamics_on_what_they_move(tool: ModuleType) -> None:
    train, test = episodes(tool, 0, 40), episodes(tool, 100, 10)
    used = tool.measured(train, test, num_steps=150, seed=0)
    assert used["gripper"].n == 10 * (16 - tool.HORIZON)
    assert used["gripper"].ratio.low > 1.5
    assert used["gripper"].told.value < used["gripper"].still.value


def test_the_table_has_a_row_for_each_quantity(tool: ModuleType, tmp_path: Path) -> None:
    cells = tmp_path / "cells"
    cells.mkdir()
    use = {"n": 40} | {column: [2.0, 1.5, 2.25] for column in tool.COLUMNS}
    (cells / "0.json").write_text(json.dumps({"seed": 0, "used": dict.fromkeys(tool.TARGETS, use)}))
    tool._write_table(cells)
    rows = [row for row in cells.with_suffix(".md").read_text().splitlines() if row.startswith("| 0 |")]
    assert [row.split(" | ")[1] for row in rows] == list(tool.TARGETS)
    assert rows[0].count("2.00 (1.50 to 2.25)") == len(tool.COLUMNS)
