"""The `robossl` command. It parses and calls; each command imports what it needs when it is called."""

import dataclasses
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robossl.commands import COMMANDS, Command
from robossl.errors import ConfigError, RobosslError, closest

if TYPE_CHECKING:
    from robossl.runs import Run

_USAGE = """usage: robossl COMMAND [CONFIG.yaml | runs/NAME] [--flag=value ...] [--json]

Self-supervised visual encoders for robots: from simulation and footage to policies.

commands:
{commands}

robossl COMMAND --help        its settings
robossl COMMAND CONFIG.yaml   run with these settings; flags go over the file
robossl COMMAND runs/NAME     go on with a run that was stopped
--json                        print the result as JSON on stdout
--version                     print the version"""
_INTERRUPTED, _MENDABLE = 130, 2
_FIRST_SPEAKS_S = 10.0
"""How long the other processes of torchrun leave it to the first one to say what is wrong."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Request:
    """What the words on the command line ask for."""

    yaml: Path | None
    output: Path | None
    flags: list[str]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 where the doctor finds a fault, 2 for what the user can mend, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if words is None else words)
    try:
        if not words or words[0] in ("-h", "--help"):
            print(_USAGE.format(commands="\n".join(f"  {name:<10} {c.help}" for name, c in COMMANDS.items())))
            return 0
        if words[0] == "--version":
            from importlib.metadata import version

            print(version("robossl"))
            return 0
        if words[0] not in COMMANDS:
            hint = closest(words[0], COMMANDS) or f"; commands are {', '.join(COMMANDS)}"
            raise ConfigError(f"unknown command {words[0]!r}{hint}")
        _refuse_many_processes(words[0])
        return _call(words[0], [word for word in words[1:] if word != "--json"], as_json="--json" in words)
    except KeyboardInterrupt:
        return _stop("stopped")
    except Exception as error:
        if not _is_mendable(error):
            raise
        if not _is_first():  # torchrun ends all processes with the first that fails
            time.sleep(_FIRST_SPEAKS_S)
        print("robossl:", " ".join(str(error).split()), file=sys.stderr, flush=True)
        return _MENDABLE


def _refuse_many_processes(name: str) -> None:
    num_processes = os.environ.get("WORLD_SIZE", "1")
    if not COMMANDS[name].distributed and num_processes != "1":
        able = ", ".join(other for other, command in COMMANDS.items() if command.distributed)
        raise ConfigError(
            f"torchrun started {num_processes} processes, and {name} takes one (only {able} shares its work out); "
            f"run: robossl {name}"
        )


def _call(name: str, words: list[str], *, as_json: bool) -> int:
    from robossl.config.load import load_config

    command = COMMANDS[name]
    request = _understand(name, words)
    try:
        config: Any = load_config(command.load_config_class(), request.yaml, request.flags, prog=f"robossl {name}")
    except ConfigError as error:
        raise ConfigError(_explained(str(error), name, request)) from error
    if request.output is not None:
        config = dataclasses.replace(config, output=request.output)
    try:
        with _quiet_stdout() if as_json else nullcontext():
            result = _run(name, config)
    except KeyboardInterrupt:
        begun = (_run_directory(config) / "run.json").exists()
        more = f"; go on with: robossl {name} {shlex.quote(str(config.output))}" if begun else ""
        return _stop(f"stopped{more}")
    if not result:  # a further process of torchrun
        return 0
    if as_json:
        print(json.dumps(result, indent=2))
        return int(result.get("exit_code", 0))
    for line in result.get("lines", ()):
        print(line)
    from robossl.printed_tables import print_tables

    print_tables(result.get("tables", ()))
    found = f"{result['summary']} · " if "summary" in result else ""
    further = result.get("next") or command.next.format(output=shlex.quote(str(config.output)))
    print(f"done: {found}{_run_directory(config)}/result.json · next: {further}")
    return int(result.get("exit_code", 0))


def _run(name: str, config: Any) -> dict[str, Any]:
    command = COMMANDS[name]
    run = _open(name, config)
    finished = run.result
    if finished is not None and not command.repeats:
        if run.is_first:
            _refuse_changed(config, finished)
        _say(f"{config.output} is finished already; remove it to run it again")
        return finished if run.is_first else {}
    with run:
        return run.finish(command.load_stage()(config, run=run))


def _refuse_changed(config: Any, finished: dict[str, Any]) -> None:
    """Refuse to show a result for what has been made anew since: its numbers would be those of another one."""
    from robossl.stages.inputs import changed_inputs

    for path in changed_inputs(config, finished):
        raise ConfigError(f"{path} changed since {config.output} was made; remove {config.output} to run it again")


def _open(name: str, config: Any) -> "Run":
    """Open the run, or say which input is missing: a finished run outlives its inputs, as long as nothing changed."""
    from robossl.config.inputs import check_inputs

    command, directory = COMMANDS[name], _run_directory(config)
    if command.repeats or not (directory / "result.json").exists():
        check_inputs(config)  # before the next line, which imports torch
    from robossl.runs import open_run

    tracking = getattr(config, "tracking", None)
    try:
        return open_run(directory, command=name, config=config, tracking=tracking, renew=command.repeats)
    except ConfigError:
        check_inputs(config)  # what is missing says more than that it is another setting
        raise


def _run_directory(config: Any) -> Path:
    """Return where the run is recorded: in a data set's directory that is a folder of its own."""
    return getattr(config, "run_directory", config.output)


# --- words ------------------------------------------------------------------------------------------------------------


def _understand(name: str, words: list[str]) -> _Request:
    """Sort the words before the first flag into a YAML file, a run to go on with, and paths."""
    from robossl.config.load import config_path

    command = COMMANDS[name]
    count = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    elsewhere = any(word.split("=")[0] == "--output" for word in words[count:])
    yaml, output, paths = None, None, []
    for word in words[:count]:
        if word.endswith((".yaml", ".yml")):
            if yaml is not None:
                raise ConfigError(f"{word} is a second configuration file, after {yaml}; give one")
            yaml = config_path(word)
        elif (record := _record_of(Path(word))) and _command_of(record) == name and not (command.paths and elsewhere):
            if elsewhere:
                raise ConfigError(f"{word} is a run to go on with, so --output has no place; leave one of them out")
            yaml, output = record.with_name("config.yaml"), _output_of(Path(word), record)
        elif command.paths:
            paths.append(word)
        elif record:
            raise ConfigError(f"{word} is a run of {_command_of(record)!r}, not of {name!r}")
        else:
            there = "is neither a YAML file nor a run directory" if Path(word).exists() else "is not there"
            raise ConfigError(f"{word} {there}; give CONFIG.yaml, a run directory, or flags (robossl {name} --help)")
    return _Request(yaml=yaml, output=output, flags=[*_path_flags(command, paths), *words[count:]])


def _explained(complaint: str, name: str, request: _Request) -> str:
    """Return a complaint about the settings, pointing at the cause where the words show one."""
    paths = COMMANDS[name].paths
    if any(complaint.startswith(f"missing: --{path}") for path in paths.split()):
        missing = " and ".join(f"{_article(path)} {path.removesuffix('s').upper()}" for path in paths.split())
        return f"give {missing}: robossl {name} {paths.upper()} (see robossl {name} --help)"
    header = request.yaml.read_text(encoding="utf-8", errors="replace").split() if request.yaml else []
    if "unknown key" in complaint and header[:2] == ["#", "robossl"] and header[2] != name:
        meant = header[2]
        return f"{request.yaml} is a configuration of {meant!r}, not of {name!r}; run: robossl {meant} {request.yaml}"
    return complaint


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _path_flags(command: Command, paths: list[str]) -> list[str]:
    names = [f"--{name.replace('_', '-')}" for name in command.paths.split()]
    if len(names) == 1:
        return [*names, *paths] if paths else []
    if len(paths) > len(names):
        raise ConfigError(f"{paths[len(names)]} is one path too many; give {command.paths.upper()}")
    return [word for pair in zip(names, paths, strict=False) for word in pair]


def _record_of(directory: Path) -> Path | None:
    """Return the record of the run in this directory; that of a data set lies in its folder `robossl/`."""
    places = (directory / "run.json", directory / "robossl/run.json")
    return next((place for place in places if place.is_file()), None)


def _command_of(record: Path) -> str:
    from robossl.runs.run import read_record

    return read_record(record.parent)["command"]


def _output_of(directory: Path, record: Path) -> Path:
    """Return the output directory of the run, also when a data set's folder `robossl/` was named."""
    is_data_set = record.parent != directory
    is_its_folder = directory.name == "robossl" and (directory.parent / "meta").is_dir()
    return directory.parent if is_its_folder and not is_data_set else directory


# --- what is printed --------------------------------------------------------------------------------------------------


def _say(line: str) -> None:
    """Print one line, whatever the number of processes of torchrun."""
    if _is_first():
        print(f"robossl: {line}", file=sys.stderr)


def _is_first() -> bool:
    return os.environ.get("LOCAL_RANK", "0") == "0"


def _stop(message: str) -> int:
    _say(message)
    return _INTERRUPTED


def _is_mendable(error: Exception) -> bool:
    """Return whether the error's text is meant for the user; the envs are never imported here, so theirs go by name."""
    if isinstance(error, RobosslError):
        return True
    return any(
        kind.__name__ == "EnvError" or (kind.__module__, kind.__name__) == ("gymnasium.error", "Error")
        for kind in type(error).__mro__
    )


@contextmanager
def _quiet_stdout() -> Iterator[None]:
    """Send all that is printed meanwhile to stderr, also by libraries in C, so that stdout holds the result alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


if __name__ == "__main__":
    sys.exit(main())
