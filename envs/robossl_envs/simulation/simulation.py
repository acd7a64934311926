"""The contract that both engines keep."""

from typing import Protocol

import numpy as np
from jaxtyping import Float

from robossl_envs.simulation.scene import Dynamics, SceneSpec

TIMESTEP_S = 1 / 240
SUBSTEPS = 12
"""12 physics steps of 1/240 s are one control step at 20 Hz."""
Pose = tuple[Float[np.ndarray, "3"], Float[np.ndarray, "4"]]
"""Position [m] and quaternion (x, y, z, w), world frame."""


class Simulation(Protocol):
    """A world of one robot and some bodies, stepped in control steps.

    The visual state is the same in every engine: the robot's joint positions, then position [m] and quaternion
    (x, y, z, w) of each of the scene's `drawn` bodies, so that any renderer can draw any engine's instant.
    """

    def load(self, scene: SceneSpec) -> None:
        """Build the world anew. Called once; afterwards `restore` brings it back to how it was built."""
        ...

    def step(self, num_substeps: int = SUBSTEPS) -> None:
        """Advance by one control step (1/20 s), or by so many physics steps of 1/240 s."""
        ...

    def body_pose(self, name: str) -> Pose:
        """Return the pose of a body, a part or an articulated body's frame, or else of the robot link of that name."""
        ...

    def set_body_pose(
        self, name: str, position_m: Float[np.ndarray, "3"], quaternion: Float[np.ndarray, "4"] | None = None
    ) -> None:
        """Place a body or an articulated body, at rest; quaternion None: upright."""
        ...

    def opening(self, name: str) -> float:
        """Return the joint position [m or rad] of an articulated body."""
        ...

    def set_opening(self, name: str, position: float) -> None:
        """Put the joint of an articulated body there, at rest."""
        ...

    def body_velocity(self, name: str) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Return linear [m/s] and angular [rad/s] velocity of a body."""
        ...

    def joint_state(self) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
        """Return positions [rad, fingers m] and velocities of the robot's joints."""
        ...

    def set_joint_state(self, positions: Float[np.ndarray, " J"]) -> None:
        """Put the joints there, at rest, and make it their target."""
        ...

    def set_joint_targets(self, positions: Float[np.ndarray, " J"]) -> None:
        """Give the position controllers their targets."""
        ...

    def contacts(self, first: str, second: str) -> bool:
        """Tell whether two bodies (or `robot`) touch."""
        ...

    def apply_force(self, name: str, force_n: Float[np.ndarray, "3"]) -> None:
        """Push a body at its centre of mass during the next control step."""
        ...

    def set_dynamics(self, dynamics: Dynamics) -> None:
        """Change masses, frictions and gains; what is not named goes back to the scene's values."""
        ...

    def save(self) -> object:
        """Return a snapshot of the whole physical state, motor targets included."""
        ...

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot of this world."""
        ...

    def visual_state(self) -> Float[np.ndarray, " X"]:
        """Return what a renderer needs to draw this instant."""
        ...

    def set_visual_state(self, visual_state: Float[np.ndarray, " X"]) -> None:
        """Pose everything as it was; velocities become zero."""
        ...

    def close(self) -> None:
        """Free the engine; a second call does nothing."""
        ...
