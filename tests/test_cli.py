"""The command line refuses what it can't do in one line, stops cleanly, and says where results are."""

import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from robossl import cli, commands
from robossl.commands import COMMANDS, Command
from robossl.config.collect import CollectConfig
from robossl.config.load import dump_config, load_config
from robossl.config.schema import STRICT
from robossl.config.tracking import TrackingConfig
from robossl.errors import DataError
from robossl.runs import Run

Captured = pytest.CaptureFixture[str]


class EnvError(ValueError):
    """Called as the one of the envs, which the command line knows by name alone."""


@dataclass(frozen=True, kw_only=True)
class ExampleConfig:
    __pydantic_config__ = STRICT

    output: Path = Path("runs/example")
    num_steps: int = 2
    fault: str = ""
    paths: tuple[Path, ...] = ()
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


def example(config: ExampleConfig, *, run: Run) -> dict[str, Any]:
    """Log steps, or fail as told."""
    faults = {"data": DataError("no data\nat all"), "env": EnvError("no env"), "bug": ZeroDivisionError("a bug")}
    if config.fault == "interrupt after a step":
        run.tracker.log(0, {"loss": 1.0})
    if config.fault.startswith("interrupt"):
        raise KeyboardInterrupt
    if config.fault:
        raise faults[config.fault]
    print("noise of a library")
    for step in range(config.num_steps):
        run.tracker.log(step, {"loss": 1.0})
    table = {"title": "Losses", "columns": ["step", "loss"], "rows": [[0, 0.123456], [1, None]], "note": "made up"}
    return {"resumed": run.resumed, "tables": [table], "summary": f"{config.num_steps} steps"}


@pytest.fixture
def _example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = f"{__name__}:"
    command = Command(
        config=f"{place}ExampleConfig", stage=f"{place}example", help="x", next="see {output}", paths="paths"
    )
    monkeypatch.setitem(commands.COMMANDS, "example", command)
    monkeypatch.chdir(tmp_path)


def _refused(words: list[str], captured: Captured) -> str:
    """Return the one line that a refused command prints."""
    assert cli.main(words) == 2
    output = captured.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    return line


def test_help_is_fast_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, robossl.cli; robossl.cli.main(['--help']);"
        "sys.exit(bool({'torch', 'numpy', 'tyro', 'pydantic', 'wandb', 'rich'} & set(sys.modules)))"
    )
    times_s = []
    for _ in range(3):  # processor time of the fastest, since the machine may be busy; nothing is waited for
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0, "a heavy library was imported"
        assert all(name in done.stdout for name in COMMANDS)
    assert min(times_s) < 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_configuration_a_stage_and_help(name: str, capsys: Captured) -> None:
    assert callable(COMMANDS[name].load_stage())
    with pytest.raises(SystemExit, match="0"):
        cli.main([name, "--help"])
    printed = capsys.readouterr().out
    assert "--output" in printed
    assert "--tracking.wandb" in printed


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("text", "message"),
    [("outputt: x", r"unknown key 'outputt'; did you mean 'output'\?"), ("output: 3", "output: .*got 3")],
)
def test_every_command_refuses_wrong_yaml(
    name: str, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(text)
    assert re.search(message, _refused([name, "c.yaml"], capsys))
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_unknown_flags_and_missing_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "did you mean '--output'?" in _refused([name, "--outputt=x"], capsys)
    assert "there is no configuration file 'none.yaml'" in _refused([name, "none.yaml"], capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["import", "none"],
        ["report", "none"],
        ["probe", "--encoder=none", "--source=none"],
        ["finetune", "--demonstrations=none"],
        ["evaluate", "--policy=none"],
        ["demo", "--footage=none"],
    ],
    ids=lambda words: words[0],
)
def test_missing_inputs_are_refused_and_nothing_is_written(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "none" in _refused(words, capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [["evaluate", "--policy=none"], ["probe", "--encoder=none"], ["pretrain"], ["demo", "--footage=none"]]
)
def test_a_missing_input_is_refused_before_torch_is_imported(words: list[str], tmp_path: Path) -> None:
    code = f"import sys, robossl.cli; assert robossl.cli.main({words}) == 2; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("robossl: ")


def test_missing_footage_is_named_though_a_demo_with_other_settings_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/demo").mkdir(parents=True)
    Path("runs/demo/run.json").write_text('{"command": "demo", "seconds": {}}')
    Path("runs/demo/config.yaml").write_text("seed: 1")
    Path("runs/demo/result.json").write_text("{}")
    assert "footage none does not exist; name a folder" in _refused(["demo", "--footage=none"], capsys)
    assert "holds a run with other settings" in _refused(["demo"], capsys)


def test_a_finished_data_set_is_named_by_its_own_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    config = load_config(CollectConfig, None, [f"--output={tmp_path / 'data'}"])
    (tmp_path / "data/robossl").mkdir(parents=True)
    (tmp_path / "data/robossl/run.json").write_text('{"command": "collect", "seconds": {}}')
    (tmp_path / "data/robossl/config.yaml").write_text(dump_config(config))
    (tmp_path / "data/robossl/result.json").write_text("{}")
    cli.main(["collect", str(tmp_path / "data")])
    assert f"robossl: {tmp_path}/data is finished already; remove it" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "flag"), [("demo", "--footage PATH"), ("pretrain", "--cache-dir PATH")])
def test_help_names_what_an_optional_flag_takes(name: str, flag: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main([name, "--help"])
    printed = capsys.readouterr().out
    assert flag in printed
    assert "{None}" not in printed


def test_an_unknown_command_is_answered_with_the_closest(capsys: Captured) -> None:
    assert "did you mean 'collect'?" in _refused(["colect"], capsys)
    assert "commands are collect, import" in _refused(["xyz"], capsys)


def test_of_many_processes_one_speaks(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    waits: list[tuple[float, str]] = []
    monkeypatch.setattr(cli.time, "sleep", lambda seconds: waits.append((seconds, capsys.readouterr().err)))
    assert cli.main(["colect"]) == 2
    assert waits == [(10.0, "")], "it speaks after torchrun had time to end it"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"pretrain"}))
def test_only_pretraining_takes_many_processes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORLD_SIZE", "2")
    line = _refused([name], capsys)
    assert line.startswith(f"robossl: torchrun started 2 processes, and {name} takes one (only pretrain")
    assert list(tmp_path.iterdir()) == []


def test_help_and_version_are_printed(capsys: Captured) -> None:
    assert cli.main([]) == cli.main(["--version"]) == 0
    assert "usage: robossl" in capsys.readouterr().out


@pytest.mark.usefixtures("_example")
def test_a_run_ends_with_its_table_and_one_line(capsys: Captured) -> None:
    assert cli.main(["example", "--num-steps=3"]) == 0
    printed = capsys.readouterr().out
    assert "0.123" in printed
    assert printed.splitlines()[-1] == "done: 3 steps · runs/example/result.json · next: see runs/example"


@pytest.mark.usefixtures("_example")
def test_json_is_all_that_stdout_holds(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["example", "--json"]) == 0
    output = capfd.readouterr()
    assert json.loads(output.out) == json.loads(Path("runs/example/result.json").read_text())
    assert "noise of a library" in output.err


@pytest.mark.usefixtures("_example")
def test_a_stopped_run_goes_on(capsys: Captured) -> None:
    assert cli.main(["example", "--fault=interrupt after a step"]) == 130
    assert "go on with: robossl example runs/example" in capsys.readouterr().err
    config = Path("runs/example/config.yaml")
    config.write_text(config.read_text().replace("interrupt after a step", "''"))
    Path("runs/example").rename("moved")
    assert cli.main(["example", "moved", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resumed"]


@pytest.mark.usefixtures("_example")
def test_a_finished_run_is_shown_and_not_run_again(capsys: Captured) -> None:
    cli.main(["example"])
    before = Path("runs/example/result.json").read_text()
    assert cli.main(["example", "runs/example"]) == 0
    assert "runs/example is finished already" in capsys.readouterr().err
    assert Path("runs/example/result.json").read_text() == before


@pytest.mark.usefixtures("_example")
@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        ("data", 2, "robossl: no data at all"),
        ("env", 2, "robossl: no env"),
        ("interrupt", 130, "robossl: stopped"),
    ],
)
def test_what_the_user_can_mend_takes_one_line_and_leaves_nothing(
    fault: str, code: int, line: str, capsys: Captured
) -> None:
    assert cli.main(["example", f"--fault={fault}"]) == code
    assert capsys.readouterr().err.splitlines() == [line]
    assert list(Path().iterdir()) == []


@pytest.mark.usefixtures("_example")
def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli.main(["example", "--fault=bug"])


@pytest.mark.usefixtures("_example")
def test_words_before_the_flags_are_files_runs_or_paths(capsys: Captured) -> None:
    Path("c.yaml").write_text("num_steps: 5")
    assert cli.main(["example", "c.yaml", "a", "b", "--json"]) == 0
    assert "paths:\n- a\n- b\n" in Path("runs/example/config.yaml").read_text()
    assert "runs/example is a run of 'example', not of 'evaluate'" in capsys.readouterr().err + _refused(
        ["evaluate", "runs/example"], capsys
    )
    assert "none is not there" in _refused(["evaluate", "none"], capsys)
    assert "c.yaml is a second configuration file" in _refused(["example", "c.yaml", "c.yaml"], capsys)


def test_ctrl_c_ends_a_real_process_with_one_line(tmp_path: Path) -> None:
    code = (
        "import sys, robossl.cli as cli, robossl.config.load as load\n"
        "def stop(*args, **kwargs): raise KeyboardInterrupt\n"
        "load.load_config = stop\n"
        "sys.exit(cli.main(['collect']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ
    )
    assert (done.returncode, done.stderr) == (130, "robossl: stopped\n")
