"""What the tool is not given is said in one line, before anything is encoded."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from tool_module import load_tool


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("sim_real_pairs")


@pytest.mark.parametrize(
    ("names", "words", "text"),
    [
        ([], [], "holds no <robot>_<task>_real.mp4"),
        (["a_push_real", "a_push_sim", "b_push_real"], [], "b_push_real.mp4 has no twin b_push_sim.mp4"),
        (["a_push_real", "a_push_sim"], ["--encoders", "runs/x"], "takes a name for each.*ours=runs/x"),
    ],
)
def test_what_is_missing_is_said(
    names: list[str], words: list[str], text: str, tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names:
        (tmp_path / f"{name}.mp4").write_bytes(b"")
    monkeypatch.setattr(sys, "argv", ["sim_real_pairs", str(tmp_path), *words])
    with pytest.raises(SystemExit, match=text):
        tool.main()
