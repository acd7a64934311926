"""What stages that run envs share."""

from collections.abc import Mapping
from typing import Any

DEFAULT_CAMERAS = ("front",)
DEFAULT_IMAGE_SIZE_PX = 64
CHOOSABLE = ("gl", "tiny")
"""Renderers between which `auto` chooses, by what the machine has."""
SCRIPTED = ("expert", "play", "random")
"""Words that stand for a policy."""
HELDOUT = "heldout"
"""How the names of domains begin that nothing is trained on; they have a renderer of their own."""
EVALUATION_SEED = 1_000_000
"""First seed of evaluation episodes: far from what is collected, since the same seed gives the same layout in every
domain."""
Axis = bool | tuple[float, float]
"""An axis of randomization: on, off, or on between these bounds."""


def randomization(preset: str, axes: Mapping[str, Axis]) -> dict[str, Any]:
    """Return the keyword of an env that says what is drawn beyond its domain, none where nothing is asked for."""
    if not axes:
        return {"randomization": preset} if preset else {}
    bounds = {name: axis if isinstance(axis, bool) else list(axis) for name, axis in axes.items()}
    return {"randomization": ({"preset": preset} if preset else {}) | {"axes": bounds}}
