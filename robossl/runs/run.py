"""A run directory: everything that one command produced, and what is needed to repeat it."""

import json
import os
import platform
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter

from robossl.config.checked import checked
from robossl.config.load import dump_config, dump_values
from robossl.config.tracking import TrackingConfig
from robossl.config.yaml_text import parse_yaml
from robossl.errors import ConfigError
from robossl.runs.files import plain, write_json, write_text
from robossl.runs.lock import only_one
from robossl.runs.tracker import SilentTracker, Tracker
from robossl.runs.wandb_feed import WandbFeed

RECORD = "run.json"
"""Holds the command, versions, W&B's run id and the seconds spent so far; marks a directory as a run."""
_FREE_KEYS = ("output", "tracking", "num_workers", "cache_dir", "device")
"""Settings that may change on resume, since no result depends on them."""


class Run:
    """One run; made by `open_run`. As a context manager it ends W&B, and takes itself back if it made nothing."""

    def __init__(
        self, path: Path, *, record: dict[str, Any], config: Any, tracking: TrackingConfig, made: list[Path] | None
    ) -> None:
        self.path = path
        self.config = config
        self.resumed = made is None
        self._record = record
        self._made = made or []
        self._started_s = time.monotonic()
        self._tracking = tracking
        self._alone = ExitStack()
        self.is_first = is_first_process()
        """False in all but one process of `torchrun`: those write nothing."""
        open_feed = None if tracking.wandb == "disabled" else self._open_feed
        self.tracker: Tracker = Tracker(path, open_feed=open_feed) if self.is_first else SilentTracker(path)

    @property
    def command(self) -> str:
        """The command that the run belongs to."""
        return self._record["command"]

    @property
    def checkpoints(self) -> Path:
        """Directory of checkpoints."""
        return self.path / "checkpoints"

    @property
    def encoder(self) -> Path:
        """Directory of the encoder that the run made."""
        return self.path / "encoder"

    @property
    def best_encoder(self) -> Path:
        """Directory of the best encoder that the run had while it trained one."""
        return self.path / "encoder-best"

    @property
    def policy(self) -> Path:
        """Directory of the policy that the run made."""
        return self.path / "policy"

    @property
    def videos(self) -> Path:
        """Directory of videos."""
        return self.path / "videos"

    @property
    def figures(self) -> Path:
        """Directory of pictures for the report: `<name>.png`, and a caption in `<name>.txt`."""
        return self.path / "figures"

    @property
    def result(self) -> dict[str, Any] | None:
        """What the run found, or None while it has not finished."""
        return read_result(self.path)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Add the seconds of the block to `seconds[name]` of the result; they add up over resumes."""
        start_s = time.monotonic()
        try:
            yield
        finally:
            self._add_seconds(name, time.monotonic() - start_s)

    def finish(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Write result.json with command, seconds, inputs and artifacts beside `result`, end W&B, and return it."""
        if not self.is_first:
            return {}
        self._add_seconds("total", time.monotonic() - self._started_s)
        artifacts = self.tracker.artifacts
        inputs = {name: digest for made in artifacts.values() for name, digest in made["inputs"].items()}
        inputs |= result.get("inputs", {})
        ours = {"command": self.command, "seconds": self._record["seconds"], "inputs": inputs, "artifacts": artifacts}
        whole = plain(ours | {key: value for key, value in result.items() if key not in ours})
        _write_config(self.path, self.command, self.config)  # a renewed run has others than it began with
        write_json(self.path / "result.json", whole)
        self.tracker.close(whole)
        return whole

    def abort(self) -> None:
        """End W&B as failed; if this call began the run and nothing was produced, leave no trace of it."""
        if not self.is_first:
            return
        self.tracker.close({}, exit_code=1)
        produced = {p.name for p in self.path.rglob("*") if p.is_file()} - {"config.yaml", RECORD}
        if self.resumed or produced:
            return
        (self.path / "config.yaml").unlink(missing_ok=True)
        (self.path / RECORD).unlink(missing_ok=True)
        folders = [p for p in self.path.rglob("*") if p.is_dir()]
        for folder in [*sorted(folders, reverse=True), *self._made]:
            if not any(folder.iterdir()):
                folder.rmdir()

    def __enter__(self) -> Self:
        if self.is_first:
            self._alone.enter_context(only_one(self.path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._alone:
            if kind is not None:
                self._add_seconds("total", time.monotonic() - self._started_s)
                self.abort()

    def _add_seconds(self, name: str, seconds: float) -> None:
        if not self.is_first:
            return
        spent = self._record["seconds"]
        spent[name] = round(spent.get(name, 0.0) + seconds, 3)
        write_json(self.path / RECORD, self._record)

    def _open_feed(self, rows: Iterator[dict[str, Any]]) -> WandbFeed:
        return WandbFeed(
            self.path,
            run_id=self._record["id"],
            name=f"{self.command}-{self.path.name}",
            project=self._tracking.project,
            mode="online" if self._tracking.wandb == "online" else "offline",
            config={"command": self.command, "versions": self._record["versions"]} | dump_values(self.config),
            rows=rows,
        )


def open_run(
    path: Path, *, command: str, config: Any, tracking: TrackingConfig | None = None, renew: bool = False
) -> Run:
    """Make the run directory and write its config, or open the run that is there to go on with it.

    Args:
        path: The run directory.
        command: The command that runs, for example `pretrain`.
        config: Its configuration.
        tracking: Where metrics go besides the directory; by default nowhere.
        renew: Let a run of this command that is there take these settings, for what is cheap to make anew.

    Raises:
        ConfigError: The directory holds other files, a run of another command, or one with other settings; or it can't
            be made.
    """
    tracking = tracking or TrackingConfig()
    # a further process may see what the first one has made by now: this run's own files
    begun = () if is_first_process() else ("config.yaml", ".config.yaml.tmp", f".{RECORD}.tmp")
    foreign = path.exists() and (not path.is_dir() or any(entry.name not in begun for entry in path.iterdir()))
    if (path / RECORD).is_file():
        record = read_record(path)
        _check_same(path, record, command=command, config=config, any_settings=renew)
        return Run(path, record=record, config=config, tracking=tracking, made=None)
    if foreign:
        raise ConfigError(f"{path} exists and is no run directory; choose another --output")
    if not is_first_process():
        return Run(path, record={"command": command}, config=config, tracking=tracking, made=None)
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"can't make {path} ({error.strerror}); choose another --output") from error
    record = {"command": command, "id": uuid.uuid4().hex[:8], "versions": _versions(), "seconds": {}}
    _write_config(path, command, config)
    write_json(path / RECORD, record)
    return Run(path, record=record, config=config, tracking=tracking, made=made)


def is_first_process() -> bool:
    """Return whether this is the only process, or the first one that `torchrun` started."""
    return os.environ.get("RANK", "0") == "0"


def read_record(path: Path) -> dict[str, Any]:
    """Return the record of the run in `path`.

    Raises:
        ConfigError: There is no run.
    """
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("command"), str):
        raise ConfigError(f"{path} is no run directory: it has no readable {RECORD}")
    return record


def read_result(path: Path) -> dict[str, Any] | None:
    """Return what the run in `path` found, or None while it has not finished.

    Raises:
        ConfigError: its `result.json` is damaged.
    """
    file = path / "result.json"
    if not file.exists():
        return None
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't read {file} ({error}); remove it and run the command again") from error
    if not isinstance(result, dict):
        raise ConfigError(f"{file} holds no result; remove it and run the command again")
    return result


def _write_config(path: Path, command: str, config: Any) -> None:
    write_text(path / "config.yaml", f"# robossl {command}\n{dump_config(config)}")


def _check_same(path: Path, record: Mapping[str, Any], *, command: str, config: Any, any_settings: bool) -> None:
    if record["command"] != command:
        raise ConfigError(f"{path} holds a run of {record['command']!r}, not of {command!r}; choose another --output")
    if any_settings:
        return
    there, here = _settings_there(path / "config.yaml", type(config)), dump_values(config)
    for key in sorted((there.keys() | here.keys()) - set(_FREE_KEYS)):
        if there.get(key) != here.get(key):
            raise ConfigError(
                f"{path} holds a run with other settings ({key} is {there.get(key)!r} there, {here.get(key)!r} here); "
                "choose another --output, or remove it"
            )


def _settings_there(path: Path, cls: type) -> dict[str, Any]:
    """Return the settings of a run; those that are younger than it have their defaults, which leave it as it was."""
    written = parse_yaml(path)
    try:
        return dump_values(checked(TypeAdapter(cls), written, where=str(path)))
    except ConfigError:  # a setting that is no more: compared as it stands
        return written


def _versions() -> dict[str, str]:
    names = ("robossl", "torch", "numpy", "gymnasium", "pybullet", "mujoco")
    return {"python": platform.python_version(), "platform": platform.platform()} | {n: version(n) for n in names}
