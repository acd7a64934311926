"""What every task says about itself."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from jaxtyping import Float

from robossl_envs.simulation.scene import BodySpec
from robossl_envs.simulation.simulation import Simulation

TABLE = BodySpec(
    name="table",
    shape="box",
    size_m=(0.45, 0.6, 0.02),
    position_m=(0.4, 0.0, -0.02),
    friction=0.6,
    rgb=(0.62, 0.5, 0.4),
)
FLOOR = BodySpec(
    name="floor",
    shape="box",
    size_m=(3.0, 3.0, 0.02),
    position_m=(0.0, 0.0, -0.62),
    collides=False,
    rgb=(0.55, 0.58, 0.62),
)


@dataclass(frozen=True, kw_only=True)
class Success:
    """When an episode counts as solved."""

    tolerance_m: float = 0.05
    """Largest distance to the goal."""
    hold_steps: int = 5
    """Control steps on end within the tolerance."""
    max_episode_steps: int = 50
    """Control steps after which the episode is truncated. Success ends it with `terminated`."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where an episode starts: the same for a seed in every domain and engine."""

    end_effector_m: Float[np.ndarray, "3"]
    bodies_m: dict[str, Float[np.ndarray, "3"]]
    num_solved_draws: int = 0
    """Layouts thrown away because they were already solved."""


class Task(Protocol):
    """A task knows no engine, no renderer and no robot but the position of its end effector."""

    name: ClassVar[str]
    sentence: ClassVar[str]
    success: ClassVar[Success]
    bodies: ClassVar[tuple[BodySpec, ...]]
    environment_state_names: ClassVar[tuple[str, ...]]
    """Name of each number of `environment_state`."""

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw a start that is not solved yet."""
        ...

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """Return the position [m] that has to come to the goal."""
        ...

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, "3"]:
        """Return the goal's position [m]."""
        ...

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, " E"]:
        """Return the simulator's truth about the task."""
        ...


def draw_in_box(
    generator: np.random.Generator, low_m: tuple[float, float, float], high_m: tuple[float, float, float]
) -> Float[np.ndarray, "3"]:
    """Draw a position uniformly from a box [m]."""
    return generator.uniform(low_m, high_m)


def axes(*names: str) -> tuple[str, ...]:
    """Return `name.x`, `name.y`, `name.z` for each name."""
    return tuple(f"{name}.{axis}" for name in names for axis in "xyz")
