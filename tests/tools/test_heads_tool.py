"""The table of heads: the head alone differs, and its pairs are those of the same seeds."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tool_module import load_tool


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("heads")


def _measured(successes: int) -> dict[str, Any]:
    episodes = [{"success": index < successes} for index in range(50)]
    return {"domains": {"randomized": {"renderer": "tiny", "episodes": episodes}}}


def test_only_the_head_and_its_loss_differ_between_heads(tool: ModuleType) -> None:
    plain = tool._cell("detour", "mlp", 0).settings
    for head, changed in {"flow": {"head"}, "mlp_mse": {"loss"}}.items():
        other = tool._cell("detour", head, 0).settings
        assert {name for name in plain if plain[name] != other[name]} == {"FinetuneConfig"}
        before, after = plain["FinetuneConfig"], other["FinetuneConfig"]
        assert {name for name in before | after if before.get(name) != after.get(name)} == changed


def test_the_table_takes_the_cells_that_are_there(tool: ModuleType, tmp_path: Path) -> None:
    cells = tmp_path / "heads"
    for head, successes in {"mlp": 5, "flow": 45}.items():
        for seed in (0, 1):
            tool._cell("detour", head, seed).get(cells, lambda successes=successes: _measured(successes))
    tool._write(cells)
    text = (tmp_path / "heads.md").read_text()
    assert "| detour | MLP, L1 | randomized | tiny | 100 | 0.10 0.10 | 0.1 |" in text
    assert "| detour | MLP, L1 | randomized | 2 | 100 | 0.8 |" in text  # by how much flow matching is better
