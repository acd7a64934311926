"""A look: everything about appearance, and nothing about physics. The same state can be drawn under any look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from robossl_envs.rendering.camera import Camera

Rgb = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Colour in 0-1 and an optional texture of one named part of the scene."""

    rgb: Rgb
    texture: int | None = None
    """Index into the texture pool (`rendering/textures.py`), which is multiplied with the colour. None: flat."""


@dataclass(frozen=True, kw_only=True)
class Light:
    """One directional light. The coefficients are those of the Phong model, 0-1."""

    direction: tuple[float, float, float] = (0.5, 0.3, 1.0)
    """From the scene towards the light, world frame."""
    rgb: Rgb = (1.0, 1.0, 1.0)
    ambient: float = 0.6
    diffuse: float = 0.35
    specular: float = 0.05
    shadow: bool = False


@dataclass(frozen=True, kw_only=True)
class Look:
    """Surfaces by part name (bodies of the scene, `robot`), one light, and the cameras as this look places them."""

    surfaces: Mapping[str, Surface] = field(default_factory=dict)
    light: Light = Light()
    cameras: Mapping[str, Camera] = field(default_factory=dict)

    def record(self) -> dict[str, float | list[float]]:
        """Return every value under a flat name, as numbers and lists of numbers: what an episode stores."""
        values: dict[str, float | list[float]] = {}
        for part, surface in sorted(self.surfaces.items()):
            values[f"{part}.rgb"] = [float(value) for value in surface.rgb]
            values[f"{part}.texture"] = float(-1 if surface.texture is None else surface.texture)
        light = self.light
        values["light.direction"] = [float(value) for value in light.direction]
        values["light.rgb"] = [float(value) for value in light.rgb]
        for name in ("ambient", "diffuse", "specular"):
            values[f"light.{name}"] = float(getattr(light, name))
        values["light.shadow"] = float(light.shadow)
        for name, camera in sorted(self.cameras.items()):
            values[f"camera.{name}.position_m"] = [float(value) for value in camera.position_m]
            values[f"camera.{name}.target_m"] = [float(value) for value in camera.target_m]
            values[f"camera.{name}.fov_y_rad"] = float(camera.fov_y_rad)
            if camera.roll_rad:
                values[f"camera.{name}.roll_rad"] = float(camera.roll_rad)
        return values

    @classmethod
    def from_record(cls, values: Mapping[str, Any], cameras: Mapping[str, Camera]) -> "Look":
        """Return the look that `record` told of; `cameras` are the nominal ones.

        Raises:
            KeyError: A value is missing.
        """
        parts = [name.removesuffix(".texture") for name in values if name.endswith(".texture")]
        textures = {part: int(values[f"{part}.texture"]) for part in parts}
        return cls(
            surfaces={
                part: Surface(rgb=_triple(values[f"{part}.rgb"]), texture=None if texture < 0 else texture)
                for part, texture in textures.items()
            },
            light=Light(
                direction=_triple(values["light.direction"]),
                rgb=_triple(values["light.rgb"]),
                shadow=bool(values["light.shadow"]),
                **{name: values[f"light.{name}"] for name in ("ambient", "diffuse", "specular")},
            ),
            cameras={
                name: replace(
                    camera,
                    position_m=_triple(values[f"camera.{name}.position_m"]),
                    target_m=_triple(values[f"camera.{name}.target_m"]),
                    fov_y_rad=values[f"camera.{name}.fov_y_rad"],
                    roll_rad=values.get(f"camera.{name}.roll_rad", 0.0),
                )
                for name, camera in cameras.items()
            },
        )


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = values
    return float(x), float(y), float(z)
