"""Learning rates as pure functions of the step: nothing to save, nothing to restore."""

import math
from typing import Literal

Schedule = Literal["cosine", "linear", "constant"]


def learning_rate_factor(
    step: int, num_steps: int, *, schedule: Schedule = "cosine", warmup_steps: int, final: float = 0.0
) -> float:
    """Return the factor on the learning rate at a step.

    Args:
        step: 0 is the first.
        num_steps: of the whole run; the factor would reach `final` at this step.
        schedule: how it falls after the warm-up; `constant` stays at 1.
        warmup_steps: over which it rises linearly to 1; the first step already moves.
        final: factor at the end, 0-1.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, num_steps - warmup_steps))
    match schedule:
        case "cosine":
            return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2
        case "linear":
            return final + (1 - final) * (1 - progress)
        case "constant":
            return 1.0
