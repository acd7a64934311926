"""Everything that was drawn for one episode, to be recorded and to be used again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from robossl_envs.rendering.look import Look
from robossl_envs.simulation.scene import Dynamics

Value = float | list[float]


@dataclass(frozen=True, kw_only=True)
class Draw:
    """The values of one episode."""

    look: Look
    dynamics: Dynamics | None
    """None for a control task, whose physics are among the values."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """Of all other axes that are on: name of the axis, or of a part of what it draws, to numbers."""

    def record(self) -> dict[str, Value]:
        """Return every value under a flat name: what an episode stores."""
        return {**self.look.record(), **(self.dynamics.record() if self.dynamics else {}), **self.values}

    def number(self, name: str, nominal: float) -> float:
        """Return a value that is one number, or the nominal one where its axis is off."""
        value = self.values.get(name, nominal)
        assert not isinstance(value, list)
        return value

    def numbers(self, name: str) -> list[float]:
        """Return a value that is a list, empty where its axis is off."""
        value = self.values.get(name, [])
        return value if isinstance(value, list) else [value]
