"""The table of env steps: when a policy was there follows from what the state policy solves."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from tool_module import load_tool

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("rl_table")


def _cell(variant: str, curve: list[tuple[int, int, float]], success_rate: float) -> dict:
    scored = {"n": 100, "success_rate": success_rate, "low": 0.0, "high": 1.0, "seconds": 9}
    settings = {"num_steps": 20_000, "domain": "randomized"}
    return {
        "task": "reach",
        "variant": variant,
        "seed": 0,
        "trained": curve[-1][0],
        "curve": curve,
        "settings": settings,
        **scored,
    }


def test_steps_count_to_80_percent_of_the_state_policy(tool: ModuleType, tmp_path: Path) -> None:
    cells = tmp_path / "rl"
    cells.mkdir()
    found = [
        _cell("frozen", [(1600, 30, 0.5), (2600, 30, 0.73), (3600, 30, 0.97)], 0.95),
        _cell("scratch", [(1600, 30, 0.0), (20_000, 30, 0.4)], 0.4),
        _cell("state", [(1600, 30, 0.8), (2600, 30, 1.0)], 0.9),  # so that 0.72 is wanted
    ]
    for cell in found:
        cell["key"] = tool.fingerprint(tool._settings("reach", cell["variant"]))
        (cells / f"reach-{cell['variant']}-0.json").write_text(json.dumps(cell))
    tool._write_table(cells)
    text = (tmp_path / "rl.md").read_text()
    assert "| reach | randomized | pretrained, frozen | 0 | 2600 | 9000 | 3600 |" in text
    assert "| reach | randomized | from scratch (DrQ) | 0 | > 20000 | 0 | 20000 |" in text
    assert "| reach | randomized | none: simulator state | 0 | 1600 | 0 | 2600 |" in text
    (cells / "reach-random-0.json").write_text(
        json.dumps(_cell("random", [(9, 30, 1.0)], 1.0) | {"key": "other settings"})
    )
    tool._write_table(cells)
    assert "random, frozen" not in (tmp_path / "rl.md").read_text()
    (cells / "reach-state-0.json").unlink()
    tool._write_table(cells)
    assert "| reach | randomized | pretrained, frozen | 0 | – | 9000 | 3600 |" in (tmp_path / "rl.md").read_text()


def test_a_cell_that_is_there_is_not_learned_again(tool: ModuleType, tmp_path: Path) -> None:
    key = tool.fingerprint(tool._settings("reach", "frozen"))
    assert key != tool.fingerprint(tool._settings("reach", "scratch"))
    path = tmp_path / "reach-frozen-0.json"
    path.write_text(json.dumps({"key": key, "seed": 0}))
    arguments = tool.argparse.Namespace(cells=tmp_path, work=tmp_path / "none")
    assert tool._cell("reach", "frozen", 0, arguments) == {"key": key, "seed": 0}


def test_a_cell_depends_on_how_its_encoder_was_pretrained(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {variant: tool.fingerprint(tool._settings("reacher", variant)) for variant in ("frozen", "state")}
    monkeypatch.setitem(tool.PLAY, "reacher", (7, 30))
    assert tool.fingerprint(tool._settings("reacher", "frozen")) != before["frozen"]
    assert tool.fingerprint(tool._settings("reacher", "state")) == before["state"]


def test_a_task_in_another_domain_has_the_same_world(tool: ModuleType) -> None:
    there, here = tool._settings("reacher_randomized", "frozen"), tool._settings("reacher", "frozen")
    assert there["domain"] == "randomized"
    assert there["env_id"] == here["env_id"]
    assert there["pretraining"] == here["pretraining"]


def test_committed_cells_have_the_settings_of_today(tool: ModuleType) -> None:
    for path in sorted((ROOT / "docs/results/rl").glob("*.json")):
        cell = json.loads(path.read_text())
        assert cell["key"] == tool.fingerprint(tool._settings(cell["task"], cell["variant"])), path.name
