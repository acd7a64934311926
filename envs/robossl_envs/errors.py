"""The error that robossl_envs raises on purpose."""

import difflib
from collections.abc import Iterable


class EnvError(ValueError):
    """A keyword, an action or a state is not what an env takes; the text says what is allowed and what to do."""


def unknown(kind: str, name: object, allowed: Iterable[str]) -> EnvError:
    """Return the error for a name that is not among the allowed ones, with the closest one offered."""
    names = list(allowed)
    match = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {match[0]!r}?" if match else ""
    return EnvError(f"unknown {kind} {name!r}: use one of {', '.join(names)}{hint}")
