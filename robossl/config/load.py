"""From YAML and the command line to a checked configuration, and back to YAML. Defaults < YAML < command line."""

import contextlib
import dataclasses
import functools
import io
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tyro
import yaml
from pydantic import TypeAdapter

import robossl
from robossl.config.checked import checked
from robossl.config.mapping_flags import check_mappings
from robossl.config.yaml_text import parse_yaml
from robossl.errors import ConfigError, closest

Config = TypeVar("Config")
_RULES = ("──", "----")
"""Lines in tyro's boxes; the second where the terminal's encoding is not UTF-8."""
_TRUTH = {"true": "True", "false": "False"}
"""Words of YAML and of the help in values of a mapping, and what tyro reads."""
_adapter: Callable[[type], TypeAdapter] = functools.cache(TypeAdapter)
"""Reader and writer of a configuration: one takes 20 ms to build, and a benchmark writes thousands."""


def load_config(
    cls: type[Config], yaml_path: Path | None = None, overrides: Sequence[str] = (), *, prog: str = "robossl"
) -> Config:
    """Return the configuration `cls` with the values of the YAML file and then of the command line.

    Args:
        cls: Frozen dataclass with `__pydantic_config__ = STRICT`.
        yaml_path: File with differences from the defaults, or None.
        overrides: Flags such as `--seed=3`; `--help` prints help and ends the process.
        prog: What `--help` calls the command.

    Raises:
        ConfigError: A file, key, flag or value is not allowed; the text offers the closest that is.
    """
    values = _values_of(cls, yaml_path) if yaml_path else {}
    required = {f.name: tyro.MISSING for f in dataclasses.fields(_dataclass(cls)) if _is_required(f)}
    config = _apply(cls, cls(**(required | values)), overrides, prog)
    return checked(_adapter(cls), dump_values(config), where="command line")


def dump_config(config: Any) -> str:
    """Return the configuration as YAML that `load_config` reads back to an equal one."""
    return yaml.safe_dump(dump_values(config), sort_keys=False, allow_unicode=True)


def dump_values(config: Any) -> dict[str, Any]:
    """Return the configuration as plain dicts, lists, numbers and texts."""
    return _adapter(type(config)).dump_python(config, mode="json", warnings="error")


def config_path(name: str | Path) -> Path:
    """Return the YAML file of that path, or the one that robossl ships under that name.

    Args:
        name: A path, or the name of a shipped file such as `configs/collect/push.yaml`.

    Raises:
        ConfigError: There is no such file; the text offers the closest shipped name.
    """
    if Path(name).is_file():
        return Path(name)
    package = Path(robossl.__file__).parent
    roots = (package, package.parent)  # a wheel holds configs/ in the package, a checkout beside it
    for root in roots:
        if (root / name).is_file() and (root / "configs") in (root / name).resolve().parents:
            return root / name
    shipped = [p.relative_to(root).as_posix() for root in roots for p in sorted((root / "configs").rglob("*.yaml"))]
    raise ConfigError(f"there is no configuration file {str(name)!r}{closest(str(name), shipped)}")


def _dataclass(cls: type) -> Any:
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is no dataclass")
    return cls


def _is_required(entry: dataclasses.Field) -> bool:
    return entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING


# --- YAML -------------------------------------------------------------------------------------------------------------


def _values_of(cls: type, path: Path) -> dict[str, Any]:
    """Return the checked fields that the file sets; the command line may still give the required ones."""
    raw = parse_yaml(path)
    hints = typing.get_type_hints(cls, include_extras=True)  # with the ranges of numbers
    names = [f.name for f in dataclasses.fields(_dataclass(cls))]
    _refuse_unknown(raw, names, where=f"{path}")
    keys = [key for key, _ in _keys(cls)]
    defaults = {f.name: _default_of(f) for f in dataclasses.fields(_dataclass(cls))}
    return {
        name: checked(TypeAdapter(hints[name]), _merged(defaults[name], value), where=f"{path}", name=name, keys=keys)
        for name, value in raw.items()
    }


def _default_of(entry: dataclasses.Field) -> Any:
    if entry.default_factory is not dataclasses.MISSING:
        return entry.default_factory()
    return entry.default


def _merged(default: Any, value: Any) -> Any:
    """Lay the mapping `value` over a default that is itself a configuration; anything else replaces it."""
    if not (isinstance(value, Mapping) and dataclasses.is_dataclass(default) and not isinstance(default, type)):
        return value
    known = {f.name: getattr(default, f.name) for f in dataclasses.fields(default)}
    laid = {name: _merged(known.get(name), inner) for name, inner in value.items()}
    return dump_values(default) | laid


def _refuse_unknown(raw: Mapping[str, Any], allowed: Sequence[str], *, where: str) -> None:
    for key in raw:
        if key not in allowed:
            hint = closest(str(key), allowed) or f"; allowed are {', '.join(allowed)}"
            raise ConfigError(f"{where}: unknown key {str(key)!r}{hint}")


# --- command line -----------------------------------------------------------------------------------------------------


def _apply(cls: type[Config], default: Config, overrides: Sequence[str], prog: str) -> Config:
    _refuse_unknown_flags(cls, overrides)
    complaint, words = io.StringIO(), [_TRUTH.get(word, word) for word in overrides]
    check_mappings(dict(_mappings(cls)), words)
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(cls, prog=prog, default=default, args=words, config=(tyro.conf.AvoidSubcommands,))
    except SystemExit as end:
        if not end.code:  # --help
            raise
        raise ConfigError(f"{_one_line(complaint.getvalue())}; see {prog} --help") from None


def _refuse_unknown_flags(cls: type, overrides: Sequence[str]) -> None:
    flags = [*_flags(cls), "--help"]
    mappings = tuple(f"{flag}." for flag, _ in _mappings(cls))
    for word in overrides:
        flag = re.sub(r"\.\d+(?=\.)", "", word.split("=", 1)[0].replace("_", "-"))  # --sources.0.path is --sources.path
        if word.startswith("--") and flag not in flags and not flag.startswith(mappings):
            raise ConfigError(f"unknown flag {word.split('=', 1)[0]!r}{closest(flag, flags)}")


def _mappings(cls: type) -> Iterator[tuple[str, Any]]:
    return ((f"--{key.replace('_', '-')}", hint) for key, hint in _keys(cls) if typing.get_origin(hint) is dict)


def _flags(cls: type) -> Iterator[str]:
    for key, hint in _keys(cls):
        owner, dot, name = key.replace("_", "-").rpartition(".")
        yield f"--{owner}{dot}{name}"
        if hint is bool:
            yield f"--{owner}{dot}no-{name}"


def _keys(cls: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each key, those of parts as `part.key`, with its type."""
    for name, hint in typing.get_type_hints(cls).items():
        yield f"{prefix}{name}", hint
        for part in _parts(hint):
            if dataclasses.is_dataclass(part) and isinstance(part, type):
                yield from _keys(part, f"{prefix}{name}.")


def _parts(hint: Any) -> tuple[Any, ...]:
    inside = isinstance(hint, types.UnionType) or typing.get_origin(hint) is tuple
    return typing.get_args(hint) if inside else (hint,)


def _one_line(box: str) -> str:
    """Return the sentence inside the box that tyro draws around a complaint."""
    lines = [line.strip("│╭╮╰╯ ") for line in box.splitlines()]
    rules = [i for i, line in enumerate(lines) if line.endswith(_RULES)]
    start = rules[0] + 1 if rules and rules[0] < 2 else 0  # the title stands in the rule, or above it in plain ASCII
    body = lines[start:]
    stop = next((i for i, line in enumerate(body) if line.startswith(_RULES) or not line), len(body))
    text = re.sub(r"\[/?bold\]", "", " ".join(body[:stop]))
    if text.startswith("Missing from"):
        return f"missing: {', '.join(re.findall(r'--[^ ]+', text))}"
    return text.rstrip(". ")
