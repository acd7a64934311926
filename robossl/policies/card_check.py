"""What is wrong with the card of a policy, in one line: someone may have written into it."""

import json
from collections.abc import Mapping
from typing import Any, get_args

from robossl.policies.chunking import Execution

FORMAT = 1
"""Of the cards that are written; one without it is of that format too."""
_NEEDED = ("head", "cameras", "execution")
_KINDS: dict[str, tuple[type, str]] = {
    "head": (dict, "a mapping"),
    "cameras": (list, "a list of names"),
    "execution": (dict, "a mapping"),
    "trained_on": (dict, "a mapping"),
}
_LISTS = ("seeds", "domains", "renderers")
"""Of `trained_on`."""


def fault_of(card: Any) -> str:
    """Return what is wrong with what a card holds, after its name; empty: nothing."""
    if missing := [key for key in _NEEDED if not isinstance(card, dict) or key not in card]:
        return f"lacks {', '.join(missing)}"
    if card.get("format", FORMAT) != FORMAT:
        return f"is of format {_told(card['format'])}, and only {FORMAT} is known"
    for name, (kind, words) in _KINDS.items():
        if name in card and not isinstance(card[name], kind):
            return f"has {name} {_told(card[name])}, which must be {words}"
    for name in _LISTS:
        if not isinstance(found := card.get("trained_on", {}).get(name, []), list):
            return f"has trained_on.{name} {_told(found)}, which must be a list"
    return ""


def fault_of_execution(execution: Mapping[str, Any], *, chunk_length: int) -> str:
    """Return what is wrong with how chunks of so many actions are executed; empty: nothing."""
    kind, steps = execution.get("execution", "receding"), execution.get("execute_steps", 1)
    if kind not in get_args(Execution):
        return f"has execution {_told(kind)}, which must be one of {', '.join(get_args(Execution))}"
    if type(steps) is not int or not 1 <= steps <= chunk_length:
        return f"has execute_steps {_told(steps)}, which must be 1 to chunk_length={chunk_length}"
    return ""


def _told(value: Any) -> str:
    return json.dumps(value)
