"""The weight of a loss along training: a line from a first weight to the one that it keeps."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ramp:
    """Where the weight begins, and after how many steps it has arrived."""

    start: float
    num_steps: int

    def at(self, step: int, weight: float) -> float:
        """Return the weight at a step, `weight` at the end."""
        return self.start + (weight - self.start) * min(1.0, step / self.num_steps)
