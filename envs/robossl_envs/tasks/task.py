"""What every task says about itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float

from robossl_envs.experts.controller import Controller, State
from robossl_envs.simulation.scene import ArticulatedSpec, BodySpec
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
    """Control steps after which the episode is truncated."""
    ends_episode: bool = True
    """Success ends the episode with `terminated`; else it goes on to its time limit."""
    released: tuple[str, ...] = ()
    """Bodies that the robot must not touch any more."""
    unit: str = "m"
    """Of the tolerance."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything is at one instant: the same for a seed in every domain and engine."""

    end_effector_m: Float[np.ndarray, "3"]
    bodies_m: Mapping[str, Float[np.ndarray, "3"]]
    """Position of the bodies and articulated bodies that do not stand where the scene has them."""
    openings: Mapping[str, float] = field(default_factory=dict)
    """Joint positions of articulated bodies that are not at 0 [m or rad]."""
    grip: float = 1.0
    """As the fourth number of an action says it."""
    num_solved_draws: int = 0
    """Layouts thrown away because they were already solved or things lay too close."""

    def moved(self, **bodies_m: Float[np.ndarray, "3"]) -> "Layout":
        """Return the layout with some bodies elsewhere."""
        return replace(self, bodies_m={**self.bodies_m, **bodies_m})


class Task:
    """A task knows no engine, no renderer and no robot but the position of its end effector.

    What is said here holds for a task that brings the body `object` to where the body `goal` says; others override it.
    """

    name: ClassVar[str]
    sentences: ClassVar[tuple[str, ...]]
    """The task in words; the first is the usual one."""
    success: ClassVar[Success]
    bodies: ClassVar[tuple[BodySpec, ...]]
    environment_state_names: ClassVar[tuple[str, ...]]
    """Name of each number of `environment_state`."""
    articulated: ClassVar[tuple[ArticulatedSpec, ...]] = ()
    uses_gripper: ClassVar[bool] = False
    """Actions have a fourth number, the gripper's; else it stays half open."""
    robot_limits: ClassVar[Mapping[str, Any]] = {}
    """Bounds that the end effector keeps to, as `Robot` takes them, where they are not the usual ones."""

    @staticmethod
    def controller(state: State) -> Float[np.ndarray, " A"]:
        """Return what the scripted expert wants; see `Controller`."""
        raise NotImplementedError

    def make_controller(self, generator: np.random.Generator) -> Controller:
        """Return the expert of one episode, which may choose among ways that are equally good."""
        return self.controller

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw a start that is not solved yet."""
        raise NotImplementedError

    def solved(self, layout: Layout) -> Layout:
        """Return what the world looks like when the task is solved: what a goal image shows."""
        raise NotImplementedError

    def passes(self, layout: Layout) -> tuple[Float[np.ndarray, "3"], ...]:
        """Return further points [m] that the gripper may pass: nothing that the task is not about lies between them."""
        return ()

    def achieved_goal(self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, " G"]:
        """Return what has to come to the goal, mostly a position [m]."""
        return simulation.body_pose("object")[0]

    def desired_goal(self, simulation: Simulation) -> Float[np.ndarray, " G"]:
        """Return the goal, mostly a position [m]."""
        return simulation.body_pose("goal")[0]

    def distance(self, achieved: Float[np.ndarray, "*N G"], desired: Float[np.ndarray, "*N G"]) -> Any:
        """Return how far what was achieved is from what was wanted, in the unit of the tolerance."""
        away = np.subtract(achieved, desired)
        return np.linalg.norm(away, axis=None if away.ndim == 1 else -1)

    def environment_state(
        self, simulation: Simulation, end_effector_m: Float[np.ndarray, "3"]
    ) -> Float[np.ndarray, " E"]:
        """Return the simulator's truth about the task."""
        achieved = self.achieved_goal(simulation, end_effector_m)
        return np.concatenate([end_effector_m, achieved, self.desired_goal(simulation)])


def draw_in_box(
    generator: np.random.Generator, low_m: tuple[float, float, float], high_m: tuple[float, float, float]
) -> Float[np.ndarray, "3"]:
    """Draw a position uniformly from a box [m]."""
    return generator.uniform(low_m, high_m)


def draw_until(draw: Callable[[], Layout], accept: Callable[[Layout], bool | Bool[np.ndarray, ""]]) -> Layout:
    """Draw layouts until one is accepted, and count the others in it."""
    rejected = 0
    while not accept(layout := draw()):
        rejected += 1
    return replace(layout, num_solved_draws=rejected)


def axes(*names: str) -> tuple[str, ...]:
    """Return `name.x`, `name.y`, `name.z` for each name."""
    return tuple(f"{name}.{axis}" for name in names for axis in "xyz")


def above(position_m: Float[np.ndarray, "3"], height_m: float) -> Float[np.ndarray, "3"]:
    """Return a position that much higher [m]."""
    return position_m + np.array([0.0, 0.0, height_m])
