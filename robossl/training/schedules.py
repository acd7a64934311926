"""Learning rates as pure functions of the step: nothing to save, nothing to restore."""

import math


def warmup_cosine(step: int, num_steps: int, *, warmup_steps: int, final: float = 0.0) -> float:
    """Return the factor on the learning rate at a step.

    Args:
        step: 0 is the first.
        num_steps: of the whole run; the factor would reach `final` at this step.
        warmup_steps: over which it rises linearly to 1; the first step already moves.
        final: factor at the end, 0-1.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, num_steps - warmup_steps)
    return final + (1 - final) * (1 + math.cos(math.pi * min(1.0, progress))) / 2
