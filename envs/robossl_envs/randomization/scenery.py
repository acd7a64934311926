"""Bodies that an episode may show beside its task's own: other sizes, distractors, a backdrop. All are loaded once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError
from robossl_envs.randomization.axis import Range
from robossl_envs.randomization.draw import Draw
from robossl_envs.simulation.scene import BodySpec, Vector3

SIZES = (0.75, 0.85, 0.95, 1.05, 1.15, 1.3, 1.45)
"""Factors on width and depth that bodies are loaded in beside their own, since the engine can't stretch a body that is
there. Heights stay: goals and grasps rest on them."""
TABLE_FIXED = ("floor", "backdrop")
"""What does not rise with the table."""
PARKED_M = np.array([0.0, 0.0, -20.0])
"""Far below the floor, each extra body a metre from the next. One with a mass falls on from there and meets nothing."""
BACKDROP = BodySpec(name="backdrop", shape="box", size_m=(0.02, 2.0, 1.2), collides=False, rgb=(0.7, 0.7, 0.72))
_DISTRACTOR_M = 0.025
DISTRACTORS = (
    BodySpec(name="distractor_0", shape="box", size_m=(_DISTRACTOR_M,) * 3, rgb=(0.75, 0.7, 0.2)),
    BodySpec(name="distractor_1", shape="sphere", size_m=(_DISTRACTOR_M, 0.0, 0.0), rgb=(0.6, 0.3, 0.7)),
    BodySpec(name="distractor_2", shape="cylinder", size_m=(_DISTRACTOR_M, _DISTRACTOR_M, 0.0), rgb=(0.3, 0.3, 0.35)),
)
"""They stand fixed, so that the arm can bump into them but never carry one to the goal."""
DISTRACTOR_ZONE_M: tuple[Range, Range] = ((0.2, 0.74), (-0.36, 0.36))
CLEARANCE_M = 0.13
"""Least way from a distractor's middle to the edge of what matters: the fingers pass between."""


@dataclass(frozen=True, kw_only=True)
class Staging:
    """How an episode's world differs from its layout, which speaks of heights above a nominal table."""

    loaded: frozenset[str] = frozenset()
    """Bodies that are not the task's."""
    stands_in: Mapping[str, str] = field(default_factory=dict)
    """Body of the task to the body of another size that is there instead."""
    shown_m: Mapping[str, Float[np.ndarray, "3"]] = field(default_factory=dict)
    """Distractors and backdrop that are in sight, and where."""
    parked_m: Mapping[str, Float[np.ndarray, "3"]] = field(default_factory=dict)
    """Where everything is that is not in use."""
    table_height_m: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether the world is what the layout says."""
        return not (self.loaded or self.table_height_m)

    def up_m(self, name: str) -> Float[np.ndarray, "3"]:
        """Return by how much a body is raised."""
        return np.array([0.0, 0.0, 0.0 if name in TABLE_FIXED else self.table_height_m])


def extra_bodies(bodies: Sequence[BodySpec], bounds: Mapping[str, Range]) -> tuple[BodySpec, ...]:
    """Return what has to be loaded beside a task's bodies for the axes that are on."""
    extras = [
        replace(body, name=other_size(body.name, size), size_m=_wide(body, size), wears=body.surface)
        for axis in ("table_size", "object_size")
        if axis in bounds
        for body in bodies
        if _is_resized(body, axis)
        for size in SIZES
        if bounds[axis][0] <= size <= bounds[axis][1]
    ]
    extras += DISTRACTORS if "distractors" in bounds else ()
    extras += (BACKDROP,) if "backdrop" in bounds else ()
    return tuple(replace(body, position_m=_triple(_parked_m(index))) for index, body in enumerate(extras))


def stage(draw: Draw, bodies: Sequence[BodySpec], extras: Sequence[BodySpec]) -> Staging:
    """Return what is where in an episode.

    Args:
        draw: Of the episode.
        bodies: Of the task.
        extras: That were loaded.

    Raises:
        EnvError: The draw wants a body that was not loaded.
    """
    parked_m = {body.name: _parked_m(index) for index, body in enumerate(extras)}
    stands_in = {}
    for axis in ("table_size", "object_size"):
        size = draw.number(axis, 1.0)
        for body in bodies:
            if size != 1.0 and _is_resized(body, axis):
                stands_in[body.name] = other_size(body.name, size)
                parked_m[body.name] = _take(parked_m, stands_in[body.name], axis)  # they change places
    shown_m = {}
    for number, (x, y) in enumerate(np.reshape(draw.numbers("distractors.places_m"), (-1, 2))):
        body = DISTRACTORS[number]
        _take(parked_m, body.name, "distractors")
        shown_m[body.name] = np.array([x, y, _DISTRACTOR_M])
    if "backdrop" in draw.values:
        _take(parked_m, BACKDROP.name, "backdrop")
        shown_m[BACKDROP.name] = np.array([-draw.number("backdrop", 0.0), 0.0, 0.0])
    height_m = draw.number("table_height", 0.0)
    return Staging(
        loaded=frozenset(body.name for body in extras),
        stands_in=stands_in,
        shown_m=shown_m,
        parked_m=parked_m,
        table_height_m=height_m,
    )


def _take(parked_m: dict[str, Float[np.ndarray, "3"]], name: str, axis: str) -> Float[np.ndarray, "3"]:
    if name not in parked_m:
        raise EnvError(
            f"axis {axis!r} needs the body {name!r}, which is loaded only where the env was made with the axis"
        )
    return parked_m.pop(name)


def draw_size(bounds: Range, generator: np.random.Generator) -> float:
    """Draw one of the sizes that are loaded, a body's own among them."""
    return float(generator.choice([size for size in (1.0, *SIZES) if bounds[0] <= size <= bounds[1]] or [1.0]))


def taken_m(
    bodies: Sequence[BodySpec], poses: Float[np.ndarray, "N B 7"], ways_m: Float[np.ndarray, "W 3"]
) -> Float[np.ndarray, "M 3"]:
    """Return x, y and radius [m] of what distractors keep away from.

    Args:
        bodies: B bodies and parts.
        poses: Theirs in N instants, such as start and end.
        ways_m: Points that the gripper passes.
    """
    on_table = [i for i, body in enumerate(bodies) if body.name != "table" and poses[0, i, 2] > -0.1]
    radii_m = [float(np.hypot(*_reach(bodies[i]))) for i in on_table]
    things = [np.column_stack([pose[on_table, :2], radii_m]) for pose in poses]
    key_m = np.vstack([ways_m[:, :2], *(thing[:, :2] for thing in things)])
    between = [(1 - t) * a + t * b for a, b in combinations(key_m, 2) for t in np.linspace(0.0, 1.0, 8)]
    return np.vstack([*things, np.column_stack([between, np.zeros(len(between))])])


def _reach(body: BodySpec) -> tuple[float, float]:
    x, y, _ = body.size_m
    return (x, y) if body.shape == "box" else (x, 0.0)


def places_m(generator: np.random.Generator, count: int, taken: Float[np.ndarray, "N 3"]) -> list[float]:
    """Draw places for distractors, x and y of each; fewer where the table is full.

    Args:
        generator: Of this axis.
        count: Most of them.
        taken: x, y and radius [m] of what they keep away from.
    """
    places: list[float] = []
    for _ in range(40 * count):
        if len(places) == 2 * count:
            break
        x, y = (generator.uniform(*bounds) for bounds in DISTRACTOR_ZONE_M)
        away_m = np.hypot(taken[:, 0] - x, taken[:, 1] - y) - taken[:, 2]
        if (away_m > CLEARANCE_M).all():
            places += [float(x), float(y)]
            taken = np.vstack([taken, (x, y, _DISTRACTOR_M)])
    return places


def other_size(name: str, size: float) -> str:
    """Return the name of a body in another size."""
    return f"{name}@{size:g}"


def _is_resized(body: BodySpec, axis: str) -> bool:
    """Tell whether an axis changes the size of a body: the table, or what can be moved and is not the goal."""
    if axis == "table_size":
        return body.name == "table"
    return body.mass_kg > 0 and body.collides and body.surface != "goal"


def _wide(body: BodySpec, size: float) -> Vector3:
    x, y, z = body.size_m
    return (size * x, y, z) if body.shape == "cylinder" else (size * x, size * y, z)


def _parked_m(index: int) -> Float[np.ndarray, "3"]:
    return PARKED_M + np.array([float(index), 0.0, 0.0])


def _triple(values: Float[np.ndarray, "3"]) -> Vector3:
    return float(values[0]), float(values[1]), float(values[2])
