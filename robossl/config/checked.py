"""Values out of YAML and the command line, held to their types and ranges."""

import inspect
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from robossl.errors import ConfigError, closest


def checked(adapter: TypeAdapter, value: Any, *, where: str, name: str = "", keys: Sequence[str] = ()) -> Any:
    """Return the value as its type wants it.

    Args:
        adapter: Of the type.
        value: Out of YAML or the command line.
        where: Begins the complaint.
        name: Of the value.
        keys: That are known, for the closest one.

    Raises:
        ConfigError: It is another type or out of range; the first fault as one line.
    """
    try:  # as JSON, since only there lists pass for tuples and texts for paths in strict mode
        return adapter.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_describe(error, name, keys)}") from None


def _describe(error: ValidationError, name: str, keys: Sequence[str]) -> str:
    """Return the first fault of a validation as one line."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in (name, *first["loc"]) if part != "")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "unexpected_keyword_argument":
        return f"unknown key {place!r}{closest(place, keys)}{more}"
    return f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}, got {first['input']!r}{more}"


def checked_arguments(
    constructor: Callable[..., Any], arguments: Mapping[str, Any], *, where: str, hidden: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the arguments of a constructor, each as its annotation wants it.

    Args:
        constructor: A function with annotated parameters.
        arguments: By name.
        where: Begins the complaint, such as `objective 'paired_looks'`.
        hidden: Parameters that are not set by a configuration.

    Raises:
        ConfigError: There is no such argument, or its value is another type or out of range.
    """
    known = [name for name in inspect.signature(constructor).parameters if name not in ("self", *hidden)]
    hints = typing.get_type_hints(constructor, include_extras=True)  # with the ranges of numbers
    for name in arguments:
        if name not in known:
            raise ConfigError(f"{where} has no argument {name!r}; it has {', '.join(known)}{closest(name, known)}")
    return {name: checked(TypeAdapter(hints[name]), value, where=where, name=name) for name, value in arguments.items()}
