"""What a task puts into the world, said without naming an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from robossl_envs.rendering.camera import Camera

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
    grasped: bool = False
    """The gripper is to hold it: its contacts are as stiff as the engine allows."""
    slippery: bool = False
    """Its friction is part of the task and the same in every domain."""
    wears: str = ""
    """Name of the surface of a look that it wears; empty: its own name."""

    @property
    def surface(self) -> str:
        """Name of the surface of a look that it wears."""
        return self.wears or self.name


@dataclass(frozen=True, kw_only=True)
class ArticulatedSpec:
    """Parts that stand still and parts that move together on one joint: a drawer, a door, a button.

    Parts are placed in a frame of its own. What moves has position 0 where the parts are as they are listed.
    """

    name: str
    fixed: tuple[BodySpec, ...]
    """At least one, since the frame is read from it."""
    moving: tuple[BodySpec, ...]
    joint: Literal["slide", "hinge"]
    axis: Vector3
    """Unit vector that the parts slide along or turn about."""
    anchor_m: Vector3 = (0.0, 0.0, 0.0)
    """A point on a hinge's axis."""
    limits: tuple[float, float]
    """Least and largest joint position [m or rad]."""
    mass_kg: float = 0.3
    """Of the moving parts."""
    friction: float = 0.5
    """Force that holds the joint where it is [N or N m]."""
    damping: float = 1.0
    """Of the joint [N s/m or N m s]."""
    spring: float = 0.0
    """Force that brings the joint back to 0 [N or N m]; 0: it stays where it is left."""
    position_m: Vector3 = (0.0, 0.0, 0.0)

    @property
    def parts(self) -> tuple[BodySpec, ...]:
        """All parts, those that stand still first."""
        return self.fixed + self.moving


@dataclass(frozen=True, kw_only=True)
class RobotSpec:
    """An arm out of a URDF, fixed to the world."""

    name: str
    urdf: Path
    """Low-polygon URDF of `rendering/meshes.py`: one visual a colour, collision meshes untouched."""
    joints: tuple[str, ...]
    """Joints in the order of every joint array: arm first, then those of the gripper."""
    home_rad: tuple[float, ...]
    """Home position of `joints` [rad, fingers m]."""
    max_forces: tuple[float, ...]
    """Most force of each joint's motor [N m, fingers N]; 0: it has none and follows another joint."""
    end_effector: str
    """Link whose pose is the end effector's."""
    gripper_open: tuple[float, ...] = ()
    """Positions of the gripper's joints with the fingers wide apart."""
    gripper_closed: tuple[float, ...] = ()
    """Positions of the gripper's joints with nothing between the fingers."""
    finger_weights_m: tuple[float, ...] = ()
    """Opening between the fingers is `finger_offset_m` plus these times the gripper's joints [m, or m/rad]."""
    finger_offset_m: float = 0.0
    pads: tuple[tuple[str, Vector3, Vector3], ...] = ()
    """Link, position and half extents [m] of a box on the inner side of each finger, for what is grasped in MuJoCo."""
    pad_friction: float | None = None
    """Of the links of `pads` where something is grasped in PyBullet; None: the URDF's. It is multiplied with what is
    held, so a weak gripper needs more to hold what is slippery."""
    wrist: Camera | None = None
    """Camera on the hand."""
    leader: str = ""
    """Joint that all joints without a motor follow, as by gears; empty: those swing freely."""
    coupled: tuple[str, ...] = ()
    """Joints with motors of their own that a gear keeps equal where something is grasped: else it drifts sideways."""
    self_collides: bool = True
    """False for an arm whose collision meshes overlap where they should not."""
    base_position_m: Vector3 = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class SceneSpec:
    """A robot and the bodies of a task. The order of `drawn` fixes the layout of the visual state."""

    robot: RobotSpec
    bodies: tuple[BodySpec, ...] = field(default=())
    articulated: tuple[ArticulatedSpec, ...] = field(default=())

    @property
    def drawn(self) -> tuple[BodySpec, ...]:
        """Everything that has a pose of its own: the bodies, then the parts of what is articulated."""
        return self.bodies + tuple(part for item in self.articulated for part in item.parts)

    @property
    def grasps(self) -> bool:
        """Whether the gripper is to hold something."""
        return any(body.grasped for body in self.bodies)

    def to_draw(self) -> "SceneSpec":
        """Return the scene as renderers load it: every part a body of its own, without joints."""
        return replace(self, bodies=self.drawn, articulated=())


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """Physical values that a domain may change at reset."""

    masses_kg: dict[str, float] = field(default_factory=dict)
    """Body name to mass."""
    frictions: dict[str, float] = field(default_factory=dict)
    """Body name to sliding friction coefficient."""
    motor_gain: float = 1.0
    """Factor on the stiffness of the robot's position controller."""
    motor_damping: float = 1.0
    """Factor on its damping; this and what follows to gravity PyBullet's domains alone draw."""
    restitution: float = 0.0
    """Of all that moves by itself."""
    damping: float = 1.0
    """Factor on the damping of what moves by itself and of the joints of articulated bodies."""
    gravity_m_s2: float = 9.81
    contact_time: float = 1.0
    """Factor on the time in which a contact pushes bodies apart: larger is softer. MuJoCo only."""
    spin_friction: float = 1.0
    """Factor on the friction that brakes a body turning on the spot. MuJoCo only."""

    def record(self) -> dict[str, float]:
        """Return masses, frictions and motor gain under flat names: what an episode stores."""
        contacts = {"contact.time": self.contact_time, "contact.spin_friction": self.spin_friction}
        own_contacts = (self.contact_time, self.spin_friction) != (1.0, 1.0)
        return {
            **{f"{name}.mass_kg": value for name, value in self.masses_kg.items()},
            **{f"{name}.friction": value for name, value in self.frictions.items()},
            "robot.motor_gain": self.motor_gain,
            **(contacts if own_contacts else {}),  # records of domains without them stay as they were
        }

    @classmethod
    def from_record(cls, values: Mapping[str, Any]) -> "Dynamics":
        """Return the dynamics that `record` told of."""
        masses = {name.removesuffix(".mass_kg"): value for name, value in values.items() if name.endswith(".mass_kg")}
        rough = {name.removesuffix(".friction"): value for name, value in values.items() if name.endswith(".friction")}
        return cls(
            masses_kg=masses,
            frictions=rough,
            motor_gain=values.get("robot.motor_gain", 1.0),
            contact_time=values.get("contact.time", 1.0),
            spin_friction=values.get("contact.spin_friction", 1.0),
        )
