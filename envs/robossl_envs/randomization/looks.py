"""What an episode looks like: surfaces, light and cameras."""

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from robossl_envs.randomization.axis import Range, draw_number
from robossl_envs.randomization.scenery import BACKDROP, DISTRACTORS
from robossl_envs.randomization.setting import Setting
from robossl_envs.randomization.table import LOOKS, MIN_CONTRAST, TEXTURE_CHANCE
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Light, Look, Rgb, Surface
from robossl_envs.rendering.textures import NUM_TEXTURES
from robossl_envs.simulation.scene import BodySpec
from robossl_envs.streams import stream

GROUNDS = ("table", "floor", "backdrop", "plate", "fixture")
"""Surfaces of any colour that stands out from the rest; all others keep their family of hues."""
Values = dict[str, dict[str, Any]]
"""What was drawn: axis, then surface or camera, to its value."""
OTHER_HUE, GREY = 0.2, 0.15
"""Least distance of a distractor's hue from those that objects and goals nominally have, further than any of them gets;
below this saturation it has none."""
MOST_TRIES = 1000
"""Of a colour between bounds that were asked for."""
_AXES = {axis.name: axis for axis in LOOKS}
_COLOUR = ("object_hue", "object_saturation", "object_value")
_CAMERA = ("camera_position", "camera_target", "field_of_view", "camera_roll")
_LIGHT = ("light_direction", "light_colour", "ambient", "diffuse", "specular", "shadow")


class Looks:
    """Draws looks for the bodies and cameras of one env.

    All axes that a preset always has come from one stream, one after the other, and what is switched off is thrown away
    after the draw; what is asked for beyond the preset has streams of its own. So no axis moves another.
    One thing must follow all the same: a ground that would no longer stand out is drawn again, from another stream.
    """

    def __init__(self, bodies: Sequence[BodySpec], cameras: Mapping[str, Camera]) -> None:
        self._worn = {body.surface: body for body in bodies}  # one draw for all that wear the same
        self._targets = [name for name in self._worn if name not in GROUNDS]
        self._grounds = [name for name in self._worn if name in GROUNDS]
        self._cameras = dict(cameras)

    def draw(self, setting: Setting, episode_seed: int, *, name: str = "look") -> Look:
        """Draw the look of an episode; another `name` gives another draw for the same episode."""
        values: Values = {}
        if not {axis for axis in _AXES if _AXES[axis].always and axis in setting.bounds} <= setting.own:
            values = self._draw_all(setting, stream(episode_seed, name))
        for axis in _AXES:  # colours of objects come before the grounds that stand out from them
            if axis not in setting.bounds:
                values.pop(axis, None)
            elif axis in setting.own or axis not in values:
                generator = stream(episode_seed, f"{name}.{axis}")
                values[axis] = self._draw_axis(axis, setting, generator, values)
        self._stand_out(values, stream(episode_seed, f"{name}.ground_colour.again"), setting)
        look = self._assemble(values)
        return replace(look, surfaces={**look.surfaces, **self._draw_beside(setting, episode_seed, name)})

    def _draw_beside(self, setting: Setting, episode_seed: int, name: str) -> dict[str, Surface]:
        """Draw what distractors and backdrop wear."""
        surfaces = {}
        if "distractors" in setting.bounds:
            generator = stream(episode_seed, f"{name}.distractors")
            own = [self._worn[part].rgb for part in self._targets]
            surfaces = {body.surface: Surface(rgb=_unlike(own, generator)) for body in DISTRACTORS}
        if "backdrop" in setting.bounds:
            generator = stream(episode_seed, f"{name}.backdrop")
            rgb = _triple(generator.uniform(0.0, 1.0, size=3))
            texture = _texture((0, NUM_TEXTURES), TEXTURE_CHANCE[setting.preset], generator)
            surfaces[BACKDROP.surface] = Surface(rgb=rgb, texture=texture)
        return surfaces

    def _draw_all(self, setting: Setting, generator: np.random.Generator) -> Values:
        """Draw what a preset always has, in the order that the episodes of earlier releases came from."""
        bounds = {name: axis.bounds(setting.preset) for name, axis in _AXES.items()}
        values: Values = {name: {} for name, axis in _AXES.items() if axis.always}
        for target in self._targets:
            for axis in _COLOUR:
                values[axis][target] = _draw(axis, bounds[axis], generator)
        for ground in self._grounds:
            colour = _standing_out(bounds["ground_colour"], self._neighbours(ground, values), generator)
            values["ground_colour"][ground] = colour
            values["texture"][ground] = _texture(bounds["texture"], TEXTURE_CHANCE[setting.preset], generator)
        values["robot_tint"]["robot"] = _draw("robot_tint", bounds["robot_tint"], generator)
        for camera in self._cameras:
            for axis in _always(_CAMERA):
                values[axis][camera] = _draw(axis, bounds[axis], generator)
        for axis in _always(_LIGHT):
            values[axis]["light"] = _draw(axis, bounds[axis], generator)
        return values

    def _draw_axis(self, axis: str, setting: Setting, generator: np.random.Generator, values: Values) -> dict[str, Any]:
        """Draw one axis by itself."""
        bounds, drawn = setting.bounds[axis], dict[str, Any]()
        if axis == "ground_colour":
            for ground in self._grounds:
                taken = self._neighbours(ground, {**values, axis: drawn})
                drawn[ground] = _standing_out(bounds, taken, generator)
            return drawn
        if axis == "texture":
            chance = TEXTURE_CHANCE[setting.preset]
            return {ground: _texture(bounds, chance, generator) for ground in self._grounds}
        parts: Sequence[str] = ("robot",) if axis == "robot_tint" else ("light",)
        if axis in _COLOUR or axis in _CAMERA:
            parts = self._targets if axis in _COLOUR else tuple(self._cameras)
        return {name: _draw(axis, bounds, generator) for name in parts}

    def _colour(self, name: str, values: Values) -> Rgb:
        """Return the colour of a target near its nominal hue: a goal stays greenish, an object reddish, always."""
        own = self._worn[name].rgb
        if not any(name in values.get(axis, {}) for axis in _COLOUR):
            return own
        hue, saturation, value = colorsys.rgb_to_hsv(*own)
        return colorsys.hsv_to_rgb(
            (hue + values.get("object_hue", {}).get(name, 0.0)) % 1.0,
            values.get("object_saturation", {}).get(name, saturation),
            values.get("object_value", {}).get(name, value),
        )

    def _neighbours(self, ground: str, values: Values) -> list[Rgb]:
        """Return the colours that a ground stands out from."""
        taken = [self._colour(name, values) for name in self._targets]
        if ground == "fixture":  # which stands on the table
            taken.append(values["ground_colour"].get("table", self._worn["table"].rgb))
        return taken

    def _stand_out(self, values: Values, generator: np.random.Generator, setting: Setting) -> None:
        for ground, rgb in values.get("ground_colour", {}).items():
            taken = self._neighbours(ground, values)
            if not _stands_out(rgb, taken):
                values["ground_colour"][ground] = _standing_out(setting.bounds["ground_colour"], taken, generator)

    def _assemble(self, values: Values) -> Look:
        surfaces = {}
        for name, body in self._worn.items():
            rgb = self._colour(name, values) if name in self._targets else body.rgb
            rgb = values.get("ground_colour", {}).get(name, rgb)
            surfaces[name] = Surface(rgb=rgb, texture=values.get("texture", {}).get(name))
        ordered = {name: surfaces[name] for name in (*self._targets, *self._grounds)}
        tint = values.get("robot_tint", {}).get("robot", (1.0, 1.0, 1.0))
        return Look(
            surfaces={**ordered, "robot": Surface(rgb=tint)},
            light=_light(values),
            cameras={name: _moved(camera, values) for name, camera in self._cameras.items()},
        )


def _always(axes: Sequence[str]) -> list[str]:
    return [axis for axis in axes if _AXES[axis].always]


def _draw(axis: str, bounds: Range, generator: np.random.Generator) -> Any:
    match axis:
        case "light_direction":
            return _direction(bounds, generator)
        case "robot_tint" | "light_colour":
            return _triple(generator.uniform(*bounds, size=3))
        case "camera_position" | "camera_target":
            direction = generator.normal(size=3)
            return direction / np.linalg.norm(direction) * generator.uniform(*bounds)
        case _:
            return draw_number(_AXES[axis], bounds, generator)


def _triple(values: np.ndarray) -> Rgb:
    return float(values[0]), float(values[1]), float(values[2])


def _direction(elevation_rad: Range, generator: np.random.Generator) -> Rgb:
    azimuth, elevation = generator.uniform(-np.pi, np.pi), generator.uniform(*elevation_rad)
    return _triple(
        np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    )


def _stands_out(rgb: Rgb, taken: Sequence[Rgb]) -> bool:
    return all(np.linalg.norm(np.subtract(rgb, other)) >= MIN_CONTRAST for other in taken)


def _standing_out(bounds: Range, taken: Sequence[Rgb], generator: np.random.Generator) -> Rgb:
    """Draw a colour that stands out from what lies on it; where the bounds leave none, one of any kind."""
    for _ in range(MOST_TRIES):
        rgb = _triple(generator.uniform(*bounds, size=3))
        if _stands_out(rgb, taken):
            return rgb
    return _standing_out((0.0, 1.0), taken, generator)


def _unlike(own: Sequence[Rgb], generator: np.random.Generator) -> Rgb:
    """Draw a colour of another family than those of objects and goals."""
    hues = [colorsys.rgb_to_hsv(*rgb)[0] for rgb in own]
    while True:
        rgb = _triple(generator.uniform(0.0, 1.0, size=3))
        hue, saturation, _ = colorsys.rgb_to_hsv(*rgb)
        if saturation < GREY or all(abs((hue - other + 0.5) % 1.0 - 0.5) > OTHER_HUE for other in hues):
            return rgb


def _texture(bounds: Range, chance: float, generator: np.random.Generator) -> int | None:
    textured = generator.random() < chance
    texture = int(generator.integers(round(bounds[0]), round(bounds[1])))
    return texture if textured else None


def _light(values: Values) -> Light:
    names = {"light_direction": "direction", "light_colour": "rgb", "shadow": "shadow"}
    drawn = {names.get(axis, axis): values[axis]["light"] for axis in _LIGHT if axis in values}
    if "shadow" in drawn:
        drawn["shadow"] = bool(drawn["shadow"])
    return Light(**drawn)


def _moved(camera: Camera, values: Values) -> Camera:
    """Move a world camera; one on the robot stays where it was screwed on."""
    if camera.mounted_on is not None:
        return camera
    drawn = {axis: values[axis][camera.name] for axis in _CAMERA if axis in values}
    moved = camera
    if "camera_position" in drawn:
        moved = replace(moved, position_m=_triple(camera.position_m + drawn["camera_position"]))
    if "camera_target" in drawn:
        moved = replace(moved, target_m=_triple(camera.target_m + drawn["camera_target"]))
    if "field_of_view" in drawn:
        moved = replace(moved, fov_y_rad=camera.fov_y_rad * (1 + drawn["field_of_view"]))
    return replace(moved, roll_rad=drawn.get("camera_roll", 0.0))
