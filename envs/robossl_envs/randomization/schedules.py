"""What happens at single control steps of an episode, drawn beforehand so that the record tells it."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from robossl_envs.randomization.draw import Draw
from robossl_envs.simulation.simulation import SUBSTEPS

PUSH_CHANCE = 0.1
"""Of each control step."""


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
        case "object_push":
            chance, turn = generator.random((num_steps, 2)).T
            push = value * np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], axis=-1)
            return {"object_push.steps": _rows(chance, push)}
        case "arm_push":
            chance, turn, height = generator.random((num_steps, 3)).T
            flat = np.sqrt(1 - (2 * height - 1) ** 2)
            ways = np.stack([flat * np.cos(2 * np.pi * turn), flat * np.sin(2 * np.pi * turn), 2 * height - 1], axis=-1)
            return {"arm_push.steps": _rows(chance, value * ways)}
        case _:
            return {}


def _rows(chance: Float[np.ndarray, " L"], pushes: Float[np.ndarray, "L D"]) -> list[float]:
    """Return the steps that are pushed in and the pushes, one after the other."""
    steps = np.flatnonzero(chance < PUSH_CHANCE)
    return np.column_stack([steps, pushes[steps]]).ravel().tolist()


class Pushes:
    """The random pushes of an episode, each for one control step.

    Those on the hand move the point that it is sent to: its motors hold it so stiffly that a force of 60 N moved it by
    less than a tenth of a millimetre.
    """

    def __init__(self, draw: Draw) -> None:
        self._objects = {int(row[0]): np.array([*row[1:], 0.0]) for row in _table(draw, "object_push.steps", 3)}
        self._hand = {int(row[0]): np.array(row[1:]) for row in _table(draw, "arm_push.steps", 4)}

    def forces_n(self, step: int, masses_kg: Mapping[str, float]) -> Mapping[str, Float[np.ndarray, "3"]]:
        """Return the force on each body in a control step, of those whose masses are given."""
        if step not in self._objects:
            return {}
        return {name: mass_kg * self._objects[step] for name, mass_kg in masses_kg.items()}

    def hand_m(self, step: int) -> Float[np.ndarray, "3"] | None:
        """Return by how much the hand is sent off its way in a control step, if it is."""
        return self._hand.get(step)


def _table(draw: Draw, name: str, width: int) -> list[list[float]]:
    rows: list[list[float]] = np.reshape(draw.numbers(name), (-1, width)).tolist()
    return rows
