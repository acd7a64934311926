"""One axis of variation: a row of the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Range = tuple[float, float]
Group = Literal["look", "scene", "sensor", "physics", "timing"]
Preset = Literal["light", "medium", "full", "shifted"]
"""`medium` is what the domain `randomized` draws unless another one is asked for, `shifted` what that domain draws."""
Sampler = Literal["uniform", "log-uniform", "whole", "either way", "any direction", "colour", "pool", "coin"]
GROUPS: tuple[Group, ...] = get_args(Group)
PRESETS: tuple[Preset, ...] = get_args(Preset)

SAMPLERS: dict[Sampler, str] = {
    "uniform": "between the bounds",
    "log-uniform": "between the bounds, uniform in the logarithm",
    "whole": "a whole number, both bounds included",
    "either way": "so far from nominal, to a drawn side",
    "any direction": "so far from nominal, in a drawn direction; for light, so high above the horizon, from any side",
    "colour": "red, green and blue each between the bounds",
    "pool": "one of those of a fixed pool that lie between the bounds; of textures, the second bound is left out",
    "coin": "yes or no; 1 to 1 is always yes",
}
"""What an axis does with its bounds."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One row of the table: a quantity, its nominal value and its bounds in each preset."""

    name: str
    group: Group
    what: str
    """The quantity in words."""
    unit: str
    sampler: Sampler
    nominal: float | None
    """Value where the axis is off; None: every part keeps its own."""
    light: Range
    medium: Range
    full: Range
    shifted: Range
    allowed: Range
    """Least and largest bound that can be asked for."""
    always: bool = False
    """On in every preset; the others are on in `full` alone, unless asked for."""
    stream: str = ""
    """Name of its random stream where that is not the axis's own name."""

    def bounds(self, preset: Preset) -> Range:
        """Return the bounds in a preset."""
        bounds: Range = getattr(self, preset)
        return bounds

    def is_on(self, preset: Preset) -> bool:
        """Tell whether a preset draws it."""
        return self.always or preset == "full"


def draw_number(axis: Axis, bounds: Range, generator: np.random.Generator) -> float:
    """Draw one number as the axis's sampler says."""
    draws: dict[Sampler, Callable[[], float]] = {
        "uniform": lambda: generator.uniform(*bounds),
        "log-uniform": lambda: np.exp(generator.uniform(*np.log(bounds))),
        "whole": lambda: float(generator.integers(round(bounds[0]), round(bounds[1]) + 1)),
        "either way": lambda: generator.uniform(*bounds) * generator.choice((-1.0, 1.0)),
        "coin": lambda: generator.uniform(*bounds) >= 0.5,
    }
    return float(draws[axis.sampler]())
