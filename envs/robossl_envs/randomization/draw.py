"""Everything that was drawn for one episode, to be recorded and to be used again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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

    def physics(self, stands_in: Mapping[str, str]) -> Dynamics:
        """Return all dynamics, for the bodies that stand in for others."""
        drawn = self.dynamics or Dynamics()
        return replace(
            drawn,
            masses_kg={stands_in.get(name, name): value for name, value in drawn.masses_kg.items()},
            frictions={stands_in.get(name, name): value for name, value in drawn.frictions.items()},
            motor_damping=self.number("motor_damping", 1.0),
            restitution=self.number("restitution", 0.0),
            damping=self.number("damping", 1.0),
            gravity_m_s2=self.number("gravity", 9.81),
        )

    def number(self, name: str, nominal: float) -> float:
        """Return a value that is one number, or the nominal one where its axis is off."""
        value = self.values.get(name, nominal)
        assert not isinstance(value, list)
        return value

    def numbers(self, name: str) -> list[float]:
        """Return a value that is a list, empty where its axis is off."""
        value = self.values.get(name, [])
        return value if isinstance(value, list) else [value]
