"""How the world of a measurement differs from the domain that it is named after, and the words for it."""

from collections.abc import Mapping
from typing import Any

from robossl.rollout import EnvSpec

CHANGES = ("randomization", "axes", "engine")
"""What a cell tells of its world beside the domain; each is left out where it is as usual."""
_ENGINE = "bullet"


def changes_of(spec: EnvSpec) -> dict[str, Any]:
    """Return preset, axes and engine of an env, as far as they are not those of its domain."""
    asked = spec.options.get("randomization") or {}
    asked = {"preset": asked} if isinstance(asked, str) else asked
    usual = "shifted" if spec.domain == "shifted" else "medium"
    preset, engine = asked.get("preset", usual), spec.options.get("engine", _ENGINE)
    return {
        **({"randomization": preset} if preset != usual else {}),
        **({"axes": dict(sorted(asked["axes"].items()))} if asked.get("axes") else {}),
        **({"engine": engine} if engine != _ENGINE else {}),
    }


def world_of(domain: str, cell: Mapping[str, Any]) -> str:
    """Return the words for the world of a cell: the domain alone where nothing else is told."""
    named = {"preset": cell.get("randomization"), **cell.get("axes", {}), "engine": cell.get("engine")}
    return ", ".join([domain, *(f"{name} {_words(value)}" for name, value in named.items() if value is not None)])


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else " to ".join(f"{bound:g}" for bound in value)
