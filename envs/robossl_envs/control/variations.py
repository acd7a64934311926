"""The physical quantities that a control env varies, one row each."""

from dataclasses import dataclass

from robossl_envs.randomization.axis import Axis, Range


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One row of a task's table."""

    name: str
    """`<part>.<quantity>_<unit>`, as the episode records it."""
    nominal: float
    randomized: Range
    """Bounds of the source domain."""
    shifted: Range
    """Bounds outside of the source's, on which recipes are tuned."""

    def axis(self) -> Axis:
        """Return the row as the table of variations has it: `light` half as wide, `full` over both ranges."""
        low, high = self.randomized
        full = min(low, self.shifted[0]), max(high, self.shifted[1])
        return Axis(
            name=self.name,
            group="physics",
            what=self.name,
            unit="as the name says",
            sampler="uniform",
            nominal=self.nominal,
            light=((low + self.nominal) / 2, (high + self.nominal) / 2),
            medium=self.randomized,
            full=full,
            shifted=self.shifted,
            allowed=(min(10 * full[0], full[0], self.nominal / 10), max(10 * full[1], full[1])),
            always=True,
            stream=f"dynamics.{self.name}",
        )


MOTOR_STRENGTH = Variation(name="motor.strength", nominal=1.0, randomized=(0.8, 1.2), shifted=(0.7, 0.8))
"""Factor on what a motor does for an action."""
