"""The table of encoder scores takes what a probe says of domains."""

from pathlib import Path
from types import ModuleType

import pytest
from tool_module import load_tool


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("encoder_scores")


def test_measures_go_to_their_columns(tool: ModuleType, tmp_path: Path) -> None:
    rows = [
        ["features", "runs/push-randomized", "action score", 700, 0.61],
        ["features", "runs/push-heldout", "action score", 650, 0.42],
        ["features", "runs/push-heldout", "centroid distance", 650, 1.5],
        ["features", "runs/push-heldout", "invariance", 650, 0.4],
        ["features", "runs/push-heldout", "domain accuracy", 650, 0.93],
    ]
    other = {"note": "of places", "rows": [["features", "runs/push-randomized", "action score", 1, 0.0]]}
    scores = tool._scores({"tables": [other, {"note": tool.NOTE, "rows": rows}]})
    assert scores == {
        "n": 700,
        "action_source": 0.61,
        "action_heldout": 0.42,
        "centroid_distance": 1.5,
        "invariance": 0.4,
        "domain_accuracy": 0.93,
    }
    cells = tmp_path / "scores"
    cells.mkdir()
    for name in ("random", "ours"):
        tool.write_json(cells / f"push-{name}.json", {"task": "push", "name": name, "key": "sha256:0", **scores})
    tool._write_table(cells)
    lines = (tmp_path / "scores.md").read_text().splitlines()
    found = [line for line in lines if line.startswith("| push")]
    assert found[0] == "| push | ours | 700 | 0.61 | 0.42 | 1.5 | 0.4 | 0.93 |"
    assert found[1].startswith("| push | random |")


def test_a_cell_of_this_encoder_and_these_settings_is_not_measured_again(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class MeasuredError(Exception):
        pass

    def measure(*_: object) -> None:
        raise MeasuredError

    monkeypatch.setattr(tool, "run_stage", measure)
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    (encoder / "weights").write_bytes(b"0")
    arguments = tool.argparse.Namespace(cells=tmp_path, work=tmp_path / "work")
    key = tool._key("push", "ours", tool.digest_path(encoder))
    tool.write_json(tmp_path / "push-ours.json", {"key": key})
    tool._cell("push", "ours", str(encoder), arguments)
    monkeypatch.setattr(tool, "NUM_EPISODES", 50)
    with pytest.raises(MeasuredError):
        tool._cell("push", "ours", str(encoder), arguments)
