"""What the domains draw for an episode: surfaces, light, cameras and dynamics."""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from robossl_envs.domains import Domain
from robossl_envs.errors import unknown
from robossl_envs.heldout import heldout_dynamics, heldout_look
from robossl_envs.heldout_hard import hard_dynamics, hard_look
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Light, Look, Rgb, Surface
from robossl_envs.rendering.textures import NUM_TEXTURES
from robossl_envs.simulation.scene import BodySpec, Dynamics
from robossl_envs.streams import stream

Range = tuple[float, float]
GROUNDS = ("table", "floor", "backdrop", "plate", "fixture")
"""Surfaces of any colour that stands out from the rest; all others keep their family of hues."""


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """Bounds of every variation."""

    hue_jitter: Range
    """Distance of an object's or goal's hue from its nominal one, as a part of the colour circle; the sign is drawn."""
    saturation: Range
    value: Range
    texture_probability: float
    """Of table and floor each."""
    textures: tuple[int, int]
    """Half-open range of the texture pool."""
    min_contrast: float
    """Least RGB distance of table and floor from objects and goal."""
    robot_tint: Range
    light_azimuth_rad: Range
    light_elevation_rad: Range
    light_colour: Range
    ambient: Range
    diffuse: Range
    specular: Range
    camera_position_m: Range
    """Distance by which a world camera moves, in a drawn direction."""
    camera_target_m: Range
    """Distance by which its target moves."""
    field_of_view: Range
    """Relative change of the field of view; the sign is drawn."""
    mass: Range
    """Factor."""
    friction: Range
    """Coefficient of the objects."""
    motor_gain: Range
    """Factor."""


RANDOMIZED = Ranges(
    hue_jitter=(0.0, 0.11),
    saturation=(0.45, 1.0),
    value=(0.4, 1.0),
    texture_probability=0.6,
    textures=(0, 12),
    min_contrast=0.35,
    robot_tint=(0.6, 1.1),
    light_azimuth_rad=(-np.pi, np.pi),
    light_elevation_rad=(0.5, 1.5),
    light_colour=(0.8, 1.0),
    ambient=(0.35, 0.75),
    diffuse=(0.2, 0.8),
    specular=(0.0, 0.3),
    camera_position_m=(0.0, 0.06),
    camera_target_m=(0.0, 0.04),
    field_of_view=(0.0, 0.08),
    mass=(0.6, 1.6),
    friction=(0.3, 0.9),
    motor_gain=(0.8, 1.2),
)

SHIFTED = replace(
    RANDOMIZED,
    hue_jitter=(0.11, 0.14),
    saturation=(0.35, 0.45),
    texture_probability=1.0,
    textures=(12, NUM_TEXTURES),  # the noise textures, which `randomized` never draws
    robot_tint=(0.45, 0.6),
    light_elevation_rad=(0.3, 0.5),
    light_colour=(0.7, 0.8),
    ambient=(0.28, 0.35),
    diffuse=(0.8, 0.9),
    camera_position_m=(0.06, 0.08),
    camera_target_m=(0.04, 0.05),
    field_of_view=(0.08, 0.1),
    mass=(1.6, 2.0),
    friction=(0.22, 0.3),
    motor_gain=(0.7, 0.8),
)
"""Outside the source's ranges in every axis; recipes are tuned on it."""


class Randomization:
    """Draws looks and dynamics of a domain for the bodies and cameras of one env."""

    def __init__(self, domain: Domain, *, bodies: tuple[BodySpec, ...], cameras: Mapping[str, Camera]) -> None:
        if domain not in get_args(Domain):
            raise unknown("domain", domain, get_args(Domain))
        self.domain = domain
        self._bodies = bodies
        self._cameras = dict(cameras)

    def look(self, episode_seed: int, *, name: str = "look") -> Look:
        """Draw the look of an episode; another `name` gives another draw for the same episode."""
        match self.domain:
            case "nominal":
                return self._nominal()
            case "heldout":
                offset = 0 if name == "look" else 1 + int(stream(episode_seed, name).integers(8))
                return heldout_look(episode_seed + offset, self._cameras, self._bodies)
            case "heldout_hard":
                offset = 0 if name == "look" else 1 + int(stream(episode_seed, name).integers(8))
                return hard_look(episode_seed + offset, self._cameras, self._bodies)
            case "randomized":
                return self._draw(RANDOMIZED, stream(episode_seed, name))
            case "shifted":
                return self._draw(SHIFTED, stream(episode_seed, name))

    def dynamics(self, episode_seed: int) -> Dynamics:
        """Draw the dynamics of an episode."""
        match self.domain:
            case "nominal":
                return Dynamics()
            case "heldout":
                return heldout_dynamics(episode_seed, self._bodies)
            case "heldout_hard":
                return hard_dynamics(episode_seed, self._bodies)
            case "randomized":
                return self._draw_dynamics(RANDOMIZED, stream(episode_seed, "dynamics"))
            case "shifted":
                return self._draw_dynamics(SHIFTED, stream(episode_seed, "dynamics"))

    def _nominal(self) -> Look:
        surfaces = {body.surface: Surface(rgb=body.rgb) for body in self._bodies}
        return Look(surfaces={**surfaces, "robot": Surface(rgb=(1.0, 1.0, 1.0))}, cameras=self._cameras)

    def _draw(self, ranges: Ranges, generator: np.random.Generator) -> Look:
        worn = {body.surface: body for body in self._bodies}  # one draw for all that wear the same
        targets = {
            name: Surface(rgb=_draw_hue_family(ranges, body.rgb, generator))
            for name, body in worn.items()
            if name not in GROUNDS
        }
        taken = [surface.rgb for surface in targets.values()]
        grounds: dict[str, Surface] = {}
        for name in worn:
            if name in GROUNDS:
                others = [grounds["table"].rgb] if name == "fixture" else []  # a fixture stands on the table
                grounds[name] = _draw_ground(ranges, taken + others, generator)
        tint = _triple(generator.uniform(*ranges.robot_tint, size=3))
        cameras = {name: _draw_camera(ranges, camera, generator) for name, camera in self._cameras.items()}
        return Look(
            surfaces={**targets, **grounds, "robot": Surface(rgb=tint)},
            light=_draw_light(ranges, generator),
            cameras=cameras,
        )

    def _draw_dynamics(self, ranges: Ranges, generator: np.random.Generator) -> Dynamics:
        movable = [body for body in self._bodies if body.mass_kg > 0]
        return Dynamics(
            masses_kg={body.name: body.mass_kg * float(generator.uniform(*ranges.mass)) for body in movable},
            frictions={body.name: float(generator.uniform(*ranges.friction)) for body in movable},
            motor_gain=float(generator.uniform(*ranges.motor_gain)),
        )


def _triple(values: np.ndarray) -> Rgb:
    return float(values[0]), float(values[1]), float(values[2])


def _draw_hue_family(ranges: Ranges, nominal: Rgb, generator: np.random.Generator) -> Rgb:
    """Draw a colour near the nominal hue: a goal stays greenish and an object reddish, whatever else changes."""
    hue = colorsys.rgb_to_hsv(*nominal)[0]
    jitter = float(generator.uniform(*ranges.hue_jitter)) * float(generator.choice((-1.0, 1.0)))
    saturation, value = float(generator.uniform(*ranges.saturation)), float(generator.uniform(*ranges.value))
    return colorsys.hsv_to_rgb((hue + jitter) % 1.0, saturation, value)


def _draw_ground(ranges: Ranges, taken: list[Rgb], generator: np.random.Generator) -> Surface:
    """Draw any colour that stands out from what lies on it."""
    while True:
        rgb = _triple(generator.uniform(0.0, 1.0, size=3))
        if all(np.linalg.norm(np.subtract(rgb, other)) >= ranges.min_contrast for other in taken):
            break
    textured = generator.random() < ranges.texture_probability
    texture = int(generator.integers(ranges.textures[0], ranges.textures[1]))
    return Surface(rgb=rgb, texture=texture if textured else None)


def _draw_light(ranges: Ranges, generator: np.random.Generator) -> Light:
    azimuth, elevation = generator.uniform(*ranges.light_azimuth_rad), generator.uniform(*ranges.light_elevation_rad)
    direction = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    return Light(
        direction=_triple(direction),
        rgb=_triple(generator.uniform(*ranges.light_colour, size=3)),
        ambient=float(generator.uniform(*ranges.ambient)),
        diffuse=float(generator.uniform(*ranges.diffuse)),
        specular=float(generator.uniform(*ranges.specular)),
    )


def _draw_camera(ranges: Ranges, camera: Camera, generator: np.random.Generator) -> Camera:
    """Move a world camera; one on the robot stays where it was screwed on."""
    shift, turn = _draw_offset(ranges.camera_position_m, generator), _draw_offset(ranges.camera_target_m, generator)
    zoom = 1 + float(generator.uniform(*ranges.field_of_view)) * float(generator.choice((-1.0, 1.0)))
    if camera.mounted_on is not None:
        return camera
    return replace(
        camera,
        position_m=_triple(camera.position_m + shift),
        target_m=_triple(camera.target_m + turn),
        fov_y_rad=camera.fov_y_rad * zoom,
    )


def _draw_offset(distance_m: Range, generator: np.random.Generator) -> np.ndarray:
    direction = generator.normal(size=3)
    return direction / np.linalg.norm(direction) * generator.uniform(*distance_m)
