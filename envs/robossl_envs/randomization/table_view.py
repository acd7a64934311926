"""A simulation as a task and its expert see it, whatever stands in for what and however high the table is."""

import numpy as np
from jaxtyping import Float

from robossl_envs.randomization.scenery import Staging
from robossl_envs.simulation.simulation import Pose, Simulation


class TableView:
    """Answers what tasks ask of a `Simulation`: bodies by the names of the task, heights above the table."""

    def __init__(self, simulation: Simulation, staging: Staging) -> None:
        self._simulation, self._staging = simulation, staging
        self._up_m: Float[np.ndarray, "3"] = staging.up_m("table")

    def body_pose(self, name: str) -> Pose:
        """Return the pose of a body, part or link, in the table's frame."""
        position_m, quaternion = self._simulation.body_pose(self._staging.stands_in.get(name, name))
        return position_m - self._up_m, quaternion

    def body_velocity(self, name: str) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Return linear [m/s] and angular [rad/s] velocity of a body."""
        return self._simulation.body_velocity(self._staging.stands_in.get(name, name))

    def opening(self, name: str) -> float:
        """Return the joint position [m or rad] of an articulated body."""
        return self._simulation.opening(name)

    def contacts(self, first: str, second: str) -> bool:
        """Tell whether two bodies (or `robot`) touch."""
        return self._simulation.contacts(*(self._staging.stands_in.get(name, name) for name in (first, second)))
