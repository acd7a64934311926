"""Clutter: things that lie about and have nothing to do with the task, near to it but never on it or in its way."""

from itertools import combinations

import numpy as np
from jaxtyping import Float

from robossl_envs.simulation.articulation import part_poses
from robossl_envs.simulation.scene import BodySpec, SceneSpec
from robossl_envs.tasks.task import Layout, Task

CLUTTER = (
    BodySpec(name="clutter_box", shape="box", size_m=(0.022, 0.022, 0.022), mass_kg=0.1, rgb=(0.8, 0.7, 0.2)),
    BodySpec(name="clutter_can", shape="cylinder", size_m=(0.022, 0.026, 0.0), mass_kg=0.1, rgb=(0.6, 0.2, 0.6)),
    BodySpec(name="clutter_bar", shape="box", size_m=(0.04, 0.014, 0.012), mass_kg=0.1, rgb=(0.15, 0.15, 0.15)),
    BodySpec(name="clutter_ball", shape="sphere", size_m=(0.024, 0.0, 0.0), rgb=(0.9, 0.9, 0.9)),
)
"""No higher than 5.2 cm: the hand passes over them. The ball stands still, since it would roll away."""
STAGE = frozenset(("table", "floor", *(body.name for body in CLUTTER)))
LOW_M, HIGH_M = (0.26, -0.32), (0.72, 0.32)
"""Where clutter may lie."""
BORDER_M = (0.3, 0.34)
"""Distance in y from the middle, out of the gripper's way in every task, where it lies if there is no room."""
FINGERS_M = 0.055
"""What the fingers need on both sides of a way, or about a thing."""
APART_M = 0.01
NUM_DRAWS = 60


def draw_clutter(generator: np.random.Generator, layout: Layout, *, task: Task, scene: SceneSpec) -> Layout:
    """Return the layout with clutter in places where it neither touches nor blocks anything."""
    circles, ways = _taken(layout, task, scene)
    places: dict[str, Float[np.ndarray, "3"]] = {}
    for body in CLUTTER:
        radius_m, height_m = _radius(body), body.size_m[{"box": 2, "cylinder": 1, "sphere": 0}[body.shape]]
        for _ in range(NUM_DRAWS):
            at = generator.uniform(LOW_M, HIGH_M)
            if _is_free(at, radius_m, circles, ways):
                break
        else:
            at = _beside(generator, radius_m, circles)
        places[body.name] = np.array([*at, height_m])
        circles.append((at, radius_m + APART_M))
    return layout.moved(**places)


Circle = tuple[Float[np.ndarray, "2"], float]
Way = tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]


def _taken(layout: Layout, task: Task, scene: SceneSpec) -> tuple[list[Circle], list[Way]]:
    """Return circles about what the task is about, now and when it is solved, and the ways between them."""
    circles: list[Circle] = []
    for moment in (layout, task.solved(layout)):
        circles.append((moment.end_effector_m[:2], 0.0))
        bodies = [body for body in scene.bodies if body.name not in STAGE]
        circles += [(np.asarray(moment.bodies_m.get(body.name, body.position_m))[:2], _radius(body)) for body in bodies]
        for item in scene.articulated:
            base = np.asarray(moment.bodies_m.get(item.name, item.position_m)), np.array([0.0, 0.0, 0.0, 1.0])
            poses = part_poses(item, base, moment.openings.get(item.name, 0.0))
            circles += [(pose[0][:2], _radius(part)) for part, pose in zip(item.parts, poses, strict=True)]
    stops = [at for at, _ in circles] + [point_m[:2] for point_m in task.passes(layout)]
    return [(at, radius_m + FINGERS_M) for at, radius_m in circles], list(combinations(stops, 2))


def _radius(body: BodySpec) -> float:
    return float(np.hypot(*body.size_m[:2])) if body.shape == "box" else body.size_m[0]


def _is_free(at: Float[np.ndarray, "2"], radius_m: float, circles: list[Circle], ways: list[Way]) -> bool:
    if any(np.linalg.norm(at - middle) < radius_m + taken_m for middle, taken_m in circles):
        return False
    starts, stops = (np.array(ends) for ends in zip(*ways, strict=True))
    along = stops - starts
    part = ((at - starts) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-12)
    nearest = starts + np.clip(part, 0.0, 1.0)[:, None] * along
    return bool(np.linalg.norm(at - nearest, axis=1).min() > radius_m + FINGERS_M)


def _beside(generator: np.random.Generator, radius_m: float, circles: list[Circle]) -> Float[np.ndarray, "2"]:
    """Return the place on the border that is furthest from everything, out of some that were drawn."""
    ahead_m = generator.uniform(0.24, 0.6, size=NUM_DRAWS)
    aside_m = generator.choice((-1.0, 1.0), size=NUM_DRAWS) * generator.uniform(*BORDER_M, size=NUM_DRAWS)
    places = np.stack([ahead_m, aside_m], axis=1)
    room_m = np.min([np.linalg.norm(places - middle, axis=1) - taken_m for middle, taken_m in circles], axis=0)
    fits = np.flatnonzero(room_m > radius_m)
    return places[fits[0] if len(fits) else np.argmax(room_m)]
