"""Flags that take names with values, such as `--policies ours runs/finetune/policy`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from robossl.errors import ConfigError

_TEXTS = {str, Path}
_WORDS_OF_VALUES = ("True", "False", "None")


def check_mappings(mappings: Mapping[str, Any], words: Sequence[str]) -> None:
    """Refuse a name without a value, and one that is given twice, of which the parser would drop the first.

    Args:
        mappings: Flag to the type of its mapping, `dict[str, ...]`.
        words: Of the command line.

    Raises:
        ConfigError: names the flag and what it takes.
    """
    for flag, mapping in mappings.items():
        kinds = _kinds(get_args(mapping)[1])
        is_scalar = tuple not in kinds
        for given in _given(flag, words):
            if is_scalar and len(given) % 2:
                raise ConfigError(
                    f"{flag} takes names, each with its value after it, and got {' '.join(given)}; "
                    f"pass for example {flag} ours {given[0]}"
                )
            if not is_scalar and kinds & _TEXTS:
                continue  # names and values look alike
            names = given[::2] if is_scalar else [word for word in given if _is_name(word)]
            if repeated := next((name for name in names if names.count(name) > 1), None):
                raise ConfigError(f"{flag} has the name {repeated!r} twice; give each a name of its own")


def _kinds(value: Any) -> set[Any]:
    """Return the types that a value may have, without what is in them."""
    value = get_args(value)[0] if get_origin(value) is Annotated else value
    return {value} if get_origin(value) is None else {get_origin(value)} | set().union(*map(_kinds, get_args(value)))


def _given(flag: str, words: Sequence[str]) -> Iterator[list[str]]:
    """Yield what stands after a flag, each time it is there."""
    for place, word in enumerate(words):
        name, is_joined, first = word.partition("=")
        if name == flag:
            rest = words[place + 1 :]
            stop = next((i for i, other in enumerate(rest) if other.startswith("--")), len(rest))
            yield [*([first] if is_joined else []), *rest[:stop]]


def _is_name(word: str) -> bool:
    return word not in _WORDS_OF_VALUES and re.fullmatch(r"[A-Za-z_]\w*", word) is not None
