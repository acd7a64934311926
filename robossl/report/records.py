"""What the report reads of a run directory; nothing in it knows a stage."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robossl.errors import ConfigError
from robossl.evaluation.kept import KeptEpisode, read_kept
from robossl.runs.run import read_record, read_result

Row = Mapping[str, Any]
_RUN_FOLDER = "robossl"
"""Where a data set keeps its run."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure of a run with its caption."""

    path: Path
    caption: str


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run as its directory tells it."""

    path: Path
    """Where the run's files lie."""
    name: str
    command: str
    config: str
    """The YAML text."""
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Phase to seconds; `total` is all of them and what lies between."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """Empty while the run has not finished."""
    metrics: Sequence[Row] = ()
    pictures: Sequence[Picture] = ()
    videos: Sequence[Path] = ()
    kept: Sequence[KeptEpisode] = ()

    @property
    def outputs(self) -> dict[str, str]:
        """Name of what the run made to its digest."""
        made = {name: made["digest"] for name, made in self.result.get("artifacts", {}).items()}
        return made | ({"episodes": self.result["digest"]} if "digest" in self.result else {})


def read_runs(directories: Sequence[Path]) -> list[RunRecord]:
    """Return the runs in the given order; names are as short as they can be without clashing.

    Raises:
        ConfigError: a directory holds no run.
    """
    names = _short_names(directories)
    return [_read(directory, name) for directory, name in zip(directories, names, strict=True)]


def _read(directory: Path, name: str) -> RunRecord:
    inner = directory / _RUN_FOLDER
    place = inner if (inner / "run.json").is_file() else directory
    record = read_record(place)
    return RunRecord(
        path=place,
        name=name,
        command=record["command"],
        config=_text(place / "config.yaml"),
        versions=record.get("versions", {}),
        seconds=record.get("seconds", {}),
        result=read_result(place) or {},
        metrics=_rows(place / "metrics.jsonl"),
        pictures=[_picture(path) for path in sorted((place / "figures").glob("*.png"))],
        videos=sorted((place / "videos").glob("*.mp4")),
        kept=read_kept(place),
    )


def _rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in _text(path).splitlines(keepends=True) if line.endswith("\n")]
    except json.JSONDecodeError as error:
        raise ConfigError(f"can't read {path} ({error}); leave the run out, or run it again") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't read {path} ({error}); leave the run out, or run it again") from error


def _picture(path: Path) -> Picture:
    caption = path.with_suffix(".txt")
    text = caption.read_text(encoding="utf-8").strip() if caption.exists() else path.stem.replace("_", " ")
    return Picture(path=path, caption=text)


def _short_names(directories: Sequence[Path]) -> list[str]:
    """Return the last parts of the paths, as many as it takes to tell them apart."""
    places = [directory.resolve() for directory in directories]
    parts = [(place.parent if place.name == _RUN_FOLDER else place).parts for place in places]
    for count in range(1, max(map(len, parts), default=1)):
        names = ["/".join(p[-count:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return [str(directory) for directory in directories]
