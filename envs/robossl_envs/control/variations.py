"""The physical quantities that a control env varies, one row each."""

from collections.abc import Sequence
from dataclasses import dataclass

from robossl_envs.domains import Domain
from robossl_envs.streams import stream

Range = tuple[float, float]


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

    def draw(self, domain: Domain, episode_seed: int) -> float:
        """Return the value of an episode, from a stream of its own: switching one row moves no other."""
        if domain == "nominal":
            return self.nominal
        low, high = self.randomized if domain == "randomized" else self.shifted
        return float(stream(episode_seed, f"dynamics.{self.name}").uniform(low, high))


def draw_physics(rows: Sequence[Variation], domain: Domain, episode_seed: int) -> dict[str, float]:
    """Return the value of every row for an episode."""
    return {row.name: row.draw(domain, episode_seed) for row in rows}


MOTOR_STRENGTH = Variation(name="motor.strength", nominal=1.0, randomized=(0.8, 1.2), shifted=(0.7, 0.8))
"""Factor on what a motor does for an action."""
