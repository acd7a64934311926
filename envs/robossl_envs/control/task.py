"""What every control task says about itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.control.variations import Variation
from robossl_envs.control.world import World
from robossl_envs.rendering.camera import Camera
from robossl_envs.simulation.scene import BodySpec, RobotSpec, SceneSpec
from robossl_envs.tasks.task import Success

Layout = Mapping[str, Any]
"""Where an episode starts, by name: the same for a seed in every domain. `num_solved_draws`: those thrown away."""
State = Mapping[str, float]
"""The simulator's truth by the names of `environment_state_names`."""


NO_CAMERA = Camera(name="none", position_m=(0.0, 0.0, 0.0), target_m=(1.0, 0.0, 0.0))


@dataclass(frozen=True, kw_only=True)
class Mechanism(RobotSpec):
    """A robot that its task drives by itself: what only an arm has, or a hand, is left empty."""

    max_forces: tuple[float, ...] = ()
    end_effector: str = ""
    gripper_open: tuple[float, ...] = ()
    gripper_closed: tuple[float, ...] = ()
    finger_weights_m: tuple[float, ...] = ()
    wrist: Camera = NO_CAMERA


def mechanism(name: str, *, joints: tuple[str, ...], home: tuple[float, ...]) -> Mechanism:
    """Return the robot of `urdf/<name>.urdf`: masses, joints and what collides; its look is bodies of the task."""
    return Mechanism(name=name, urdf=Path(__file__).parent / "urdf" / f"{name}.urdf", joints=joints, home_rad=home)


class ControlTask(ABC):
    """A task is one file: what is in the world, how actions move it, what success is, and how a script solves it.

    It holds no state of an episode: everything is read from the world that it is handed.
    """

    env_id: ClassVar[str]
    sentences: ClassVar[tuple[str, ...]]
    """The task in words; the first is the usual one."""
    success: ClassVar[Success]
    robot: ClassVar[RobotSpec]
    bodies: ClassVar[tuple[BodySpec, ...]]
    """What wears the surface of a ground (`randomization.GROUNDS`) gets any colour that the others stand out from."""
    links: ClassVar[Mapping[str, str]]
    """Drawn body to the link that carries it."""
    upright: ClassVar[bool] = False
    """The ground that the camera sees stands upright, its front towards -y: light comes from there, not from above."""
    cameras: ClassVar[tuple[Camera, ...]]
    """The first is called `front`, the name that everything takes by default."""
    variations: ClassVar[tuple[Variation, ...]]
    action_names: ClassVar[tuple[str, ...]]
    action_scale: ClassVar[Mapping[str, float]]
    """What 1 means in each number of an action, its name ending with the unit."""
    environment_state_names: ClassVar[tuple[str, ...]]

    @property
    def scene(self) -> SceneSpec:
        """Return robot and bodies."""
        return SceneSpec(robot=self.robot, bodies=self.bodies)

    @abstractmethod
    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw a start that is not solved yet."""

    @abstractmethod
    def place(self, world: World, layout: Layout) -> None:
        """Give the world the episode's physical values, and put everything where the layout says."""

    @abstractmethod
    def place_solved(self, world: World, layout: Layout) -> None:
        """Put everything where it is when the task is done: what the goal image shows."""

    @abstractmethod
    def actuate(self, world: World, action: Float[np.ndarray, " A"]) -> None:
        """Drive the joints during one physics step."""

    @abstractmethod
    def proprio(self, world: World) -> Float[np.ndarray, " S"]:
        """Return what the robot's own sensors say."""

    @abstractmethod
    def environment_state(self, world: World) -> Float[np.ndarray, " E"]:
        """Return the simulator's truth about the task."""

    @abstractmethod
    def error(self, world: World) -> float:
        """Return how far from solved it is, in the unit of `success`."""

    @abstractmethod
    def dense_reward(self, world: World) -> float:
        """Return a reward of at most 0, so that ending the episode by success is never a loss."""

    @abstractmethod
    def expert(self, state: State) -> Sequence[float]:
        """Return the action, a function of the present state alone, so that a cloned policy can know it too."""


class GoalTask(ControlTask):
    """A task of bringing one point to another, so that every episode can be told again with another goal."""

    @abstractmethod
    def achieved_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return the position [m] that has to come to the goal."""

    @abstractmethod
    def desired_goal(self, world: World) -> Float[np.ndarray, "3"]:
        """Return the goal's position [m], in the same frame."""

    @staticmethod
    def distance(achieved_m: Float[np.ndarray, "*N 3"], desired_m: Float[np.ndarray, "*N 3"]) -> Any:
        """Return how far points are apart [m]."""
        return np.linalg.norm(np.subtract(achieved_m, desired_m), axis=-1)

    def error(self, world: World) -> float:
        """Return the distance to the goal [m]."""
        return float(self.distance(self.achieved_goal(world), self.desired_goal(world)))

    def dense_reward(self, world: World) -> float:
        """Return the negative distance to the goal [m]."""
        return -self.error(world)
