"""What happens at single control steps of an episode, drawn beforehand so that the record tells it."""

import numpy as np

from robossl_envs.simulation.simulation import SUBSTEPS


def draw_schedule(axis: str, value: float, generator: np.random.Generator, num_steps: int) -> dict[str, list[float]]:
    """Return the numbers under the names that they are recorded by; none for an axis that holds for a whole episode.

    A longer episode begins like a shorter one.

    Args:
        axis: Name of the axis.
        value: That was drawn for it.
        generator: That goes on after it.
        num_steps: Control steps of the episode.
    """
    match axis:
        case "lost_frames":  # the first picture is never lost
            lost = np.flatnonzero(generator.random(num_steps) < value) + 1.0
            return {"lost_frames.steps": lost.tolist()}
        case "rate_jitter":
            changes = np.round(SUBSTEPS * value * generator.uniform(-1.0, 1.0, size=num_steps))
            return {"rate_jitter.substeps": (SUBSTEPS + changes).tolist()}
        case _:
            return {}
