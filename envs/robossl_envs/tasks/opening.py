"""What drawer and door have in common: one joint that is to be opened."""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.simulation.scene import BodySpec, Vector3
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import FLOOR, TABLE, Task, axes

POST_RADIUS_M = 0.014


class Opening(Task):
    """The goal is a joint position, and opening it further is no fault."""

    bodies: ClassVar[tuple[BodySpec, ...]] = (TABLE, FLOOR)
    environment_state_names: ClassVar[tuple[str, ...]] = (*axes("end_effector", "handle"), "opening")
    wanted: ClassVar[float]
    """Joint position of the goal [m or rad]."""

    @property
    def joint(self) -> str:
        """Name of what is opened."""
        return self.articulated[0].name

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "1"]:
        """Return how far it is open [m or rad]."""
        return np.array([simulation.opening(self.joint)])

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "1"]:
        """Return how far it is to be open [m or rad]."""
        return np.array([self.wanted])

    def distance(self, achieved: Float[np.ndarray, "*N 1"], desired: Float[np.ndarray, "*N 1"]) -> Any:
        """Return how much of the opening is missing [m or rad]."""
        return np.maximum(np.subtract(desired, achieved), 0.0)[..., 0]

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, "7"]:
        """Return gripper and post position [m], and how far it is open [m or rad]."""
        handle_m = simulation.body_pose("handle")[0]
        return np.concatenate([end_effector_m, handle_m, [simulation.opening(self.joint)]])


def wall(name: str, size_m: Vector3, position_m: Vector3) -> BodySpec:
    """Return a part that stands still."""
    return BodySpec(
        name=name, shape="box", size_m=size_m, position_m=position_m, wears="fixture", rgb=(0.85, 0.85, 0.8)
    )


def leaf(name: str, size_m: Vector3, position_m: Vector3) -> BodySpec:
    """Return a part that moves."""
    return BodySpec(name=name, shape="box", size_m=size_m, position_m=position_m, wears="other", rgb=(0.2, 0.35, 0.85))


def post(half_height_m: float, position_m: Vector3) -> BodySpec:
    """Return the post that is pulled."""
    return BodySpec(
        name="handle",
        shape="cylinder",
        size_m=(POST_RADIUS_M, half_height_m, 0.0),
        position_m=position_m,
        wears="object",
        rgb=(0.85, 0.25, 0.15),
    )
