"""Sweep: push three pucks over a line."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.experts.push import CONTACT_M, PUSH_HEIGHT_M
from robossl_envs.experts.sweep import sweep
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.push import PUCK_HALF_HEIGHT_M, PUCK_RADIUS_M
from robossl_envs.tasks.task import FLOOR, TABLE, Layout, Success, Task, axes, draw_in_box

PUCKS = ("first", "second", "third")
LANES_M = (-0.15, 0.0, 0.15)
STRIP_HALF_M = (0.06, 0.24, 0.002)


def _puck(name: str) -> BodySpec:
    return BodySpec(
        name=name,
        shape="cylinder",
        size_m=(PUCK_RADIUS_M, PUCK_HALF_HEIGHT_M, 0.0),
        position_m=(0.42, LANES_M[PUCKS.index(name)], PUCK_HALF_HEIGHT_M),
        mass_kg=0.15,
        wears="object",
        rgb=(0.85, 0.25, 0.15),
    )


class Sweep(Task):
    """A puck counts once its centre is on the strip, whatever its lane."""

    name: ClassVar[str] = "sweep"
    sentences: ClassVar[tuple[str, ...]] = (
        "sweep the pucks onto the strip",
        "push all three pucks over the line",
        "clear the table by moving every red puck to the green strip",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.005, max_episode_steps=200)
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        TABLE,
        FLOOR,
        *(_puck(name) for name in PUCKS),
        BodySpec(name="goal", shape="box", size_m=STRIP_HALF_M, collides=False, rgb=(0.1, 0.75, 0.3)),
    )
    environment_state_names: ClassVar[tuple[str, ...]] = (*axes("end_effector", *PUCKS), "line")
    controller = staticmethod(sweep)

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw a puck in each lane, the strip beyond them, and the gripper above and before them."""
        z = PUCK_HALF_HEIGHT_M
        pucks_m = {
            name: draw_in_box(generator, (0.37, lane_m - 0.03, z), (0.46, lane_m + 0.03, z))
            for name, lane_m in zip(PUCKS, LANES_M, strict=True)
        }
        strip_m = draw_in_box(generator, (0.59, 0.0, 0.002), (0.62, 0.0, 0.002))
        start_m = draw_in_box(generator, (0.3, -0.15, 0.1), (0.36, 0.15, 0.2))
        return Layout(end_effector_m=start_m, bodies_m={**pucks_m, "goal": strip_m})

    def solved(self, layout: Layout) -> Layout:
        """Return all pucks on the strip, and the gripper behind the last."""
        over_m = layout.bodies_m["goal"][0] - STRIP_HALF_M[0] + 0.02
        pucks_m = {name: np.array([over_m, *layout.bodies_m[name][1:]]) for name in PUCKS}
        gripper_m = np.array([over_m - CONTACT_M, pucks_m["third"][1], PUSH_HEIGHT_M])
        return replace(layout.moved(**pucks_m), end_effector_m=gripper_m)

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """Return how far ahead each puck is [m]."""
        return np.array([simulation.body_pose(name)[0][0] for name in PUCKS])

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return how far ahead the strip begins, for each puck [m]."""
        return np.full(3, simulation.body_pose("goal")[0][0] - STRIP_HALF_M[0])

    def distance(self, achieved: Float[np.ndarray, "*N 3"], desired: Float[np.ndarray, "*N 3"]) -> Any:
        """Return how much is missing to the puck that is furthest behind [m]."""
        return np.maximum(np.subtract(desired, achieved), 0.0).max(axis=-1)

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "13"]:
        """Return gripper and puck positions [m], and where the strip begins [m]."""
        pucks_m = [simulation.body_pose(name)[0] for name in PUCKS]
        return np.concatenate([end_effector_m, *pucks_m, self.desired_goal(simulation)[:1]])
