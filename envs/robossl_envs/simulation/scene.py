"""What a task puts into the world, said without naming an engine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Vector3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
"""x, y, z, w."""


@dataclass(frozen=True, kw_only=True)
class BodySpec:
    """One rigid primitive body."""

    name: str
    shape: Literal["box", "sphere", "cylinder"]
    size_m: Vector3
    """Box: half extents. Sphere: radius first. Cylinder (axis z): radius, then half height second."""
    position_m: Vector3 = (0.0, 0.0, 0.0)
    quaternion: Quaternion = (0.0, 0.0, 0.0, 1.0)
    mass_kg: float = 0.0
    """0: it never moves by itself."""
    collides: bool = True
    friction: float = 0.5
    rgb: Vector3 = (0.5, 0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class RobotSpec:
    """An arm out of a URDF, fixed to the world."""

    name: str
    urdf: Path
    """Low-polygon URDF of `rendering/meshes.py`: one visual a colour, collision meshes untouched."""
    joints: tuple[str, ...]
    """Actuated joints in the order of every joint array, fingers last."""
    home_rad: tuple[float, ...]
    """Home position of `joints` [rad, fingers m]."""
    max_forces: tuple[float, ...]
    """Most force of each joint's motor [N m, fingers N]."""
    end_effector: str
    """Link whose pose is the end effector's."""
    base_position_m: Vector3 = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class SceneSpec:
    """A robot and the bodies of a task. The order of `bodies` fixes the layout of the visual state."""

    robot: RobotSpec
    bodies: tuple[BodySpec, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """Physical values that a domain may change at reset."""

    masses_kg: dict[str, float] = field(default_factory=dict)
    """Body name to mass."""
    frictions: dict[str, float] = field(default_factory=dict)
    """Body name to sliding friction coefficient."""
    motor_gain: float = 1.0
    """Factor on the stiffness of the robot's position controller."""
