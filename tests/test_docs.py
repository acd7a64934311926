"""What README and docs print works: Python blocks run, and every command line is one that `robossl` takes."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from robossl import cli
from robossl.commands import COMMANDS
from robossl.config.load import load_config

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


@dataclass(frozen=True)
class Line:
    """A `robossl` command as it is printed somewhere."""

    place: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}: {' '.join(self.words)}"


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield language and content of fenced and of indented code blocks."""
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield found[1], found[2]
    for found in re.finditer(r"(?:^ {4}.*\n)+", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.M), re.M):
        yield "", found[0]


def _commands(text: str, place: str) -> Iterator[Line]:
    joined = text.replace("\\\n", " ")
    for row in joined.splitlines():
        words = shlex.split(row.strip().removeprefix("$ "), comments=True)
        if words[:1] == ["torchrun"]:
            words = words[words.index("robossl") :]
        if words and words[0].removeprefix(".venv/bin/") == "robossl" and words[1:2] not in ([], ["COMMAND"]):
            yield Line(place, tuple(words[1:]))


def _printed() -> list[Line]:
    lines = []
    for page in PAGES:
        text, place = page.read_text(encoding="utf-8"), page.relative_to(ROOT).as_posix()
        for language, content in _blocks(text):
            if language in ("", "sh", "bash", "console"):
                lines += _commands(content, place)
        for inline in re.findall(r"`(robossl [^`]+)`", re.sub(r"\n", " ", text)):
            lines += _commands(inline, place)
    for path in CONFIGS:
        header = "\n".join(
            row.removeprefix("# ") for row in path.read_text().splitlines() if row.startswith("# robossl")
        )
        lines += _commands(header, path.relative_to(ROOT).as_posix())
    return lines


LINES = _printed()
PYTHON = [
    pytest.param(content, id=page.name)
    for page in PAGES
    for language, content in _blocks(page.read_text(encoding="utf-8"))
    if language == "python"
]


def test_the_pages_hold_what_is_tested_here() -> None:
    assert len(PYTHON) >= 1
    assert {line.words[0] for line in LINES if line.place == "README.md"} >= {
        "collect", "pretrain", "probe", "finetune", "evaluate", "report", "import", "demo",
    }  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_printed_command_line_is_one_that_the_command_takes(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything is read and checked as the command does it, up to the point where it would run."""
    name, *words = line.words
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    for word in words:
        assert not word.endswith(".yaml") or (ROOT / word).is_file(), f"{word} is not shipped"
        if word.startswith("runs/") and not COMMANDS[name].paths:  # a run to go on with
            Path(word).mkdir(parents=True)
            (Path(word) / "run.json").write_text(json.dumps({"command": name}))
            (Path(word) / "config.yaml").write_text("")
    monkeypatch.setattr(cli, "_run", lambda name, config: {})
    assert cli.main(list(line.words)) == 0, capsys.readouterr().err


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_shipped_file_begins_with_a_command_line_that_reads_it(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    header = [line for line in LINES if line.place == name]
    assert header
    assert name in header[0].words
    assert load_config(COMMANDS[header[0].words[0]].load_config_class(), path)


@pytest.mark.parametrize("code", PYTHON)
def test_printed_python_runs_without_a_word(code: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-W", "ignore:builtin type:DeprecationWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_make_targets_that_pages_name_exist() -> None:
    rules = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in PAGES:
        named = re.findall(r"(?:^ {4}|`)make ([\w-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= set(rules), page.name
