"""`robossl doctor`: one line a finding, exit code, JSON and a page with pictures."""

import json
from pathlib import Path

import pytest
from recordings import write_stamped

from robossl import cli


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    write_stamped(tmp_path / "in/good.mp4", 20)


def test_a_clean_folder_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "in", "--output=out"]) == 0
    assert "done: nothing is wrong" in capsys.readouterr().out
    page = Path("out/report.html").read_text()
    assert page.count("<img") == 1
    assert "http://" not in page
    assert "https://" not in page


def test_each_finding_is_one_line_and_makes_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/<b>.mp4").write_bytes(b"nothing")
    write_stamped(Path("in/vfr.mp4"), 20, steps=(1, 3))
    assert cli.main(["doctor", "in", "--output=out", "--max-thumbnails=1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("<b>.mp4: it can't be opened")
    assert lines[0].endswith(
        "[unreadable_video] → copy it again; a recording that was cut off may be mended by untrunc"
    )
    assert lines[1].startswith("vfr.mp4: frames last from 33 to 100 ms [variable_frame_rate]")
    assert lines[-1].startswith("done: 2 faults (unreadable_video, variable_frame_rate)")
    page = Path("out/report.html").read_text()
    assert "&lt;b&gt;.mp4" in page
    assert page.count("<img") == 1


def test_json_holds_all_that_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/bad.mp4").write_bytes(b"nothing")
    assert cli.main(["doctor", "in", "--output=out", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    (fault,) = (found for found in result["findings"] if found["is_fault"])
    assert (fault["kind"], fault["where"]) == ("unreadable_video", "bad.mp4")
    assert result["exit_code"] == 1
    assert result["figures"]["frames"] == 20
