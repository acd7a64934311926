"""The held-out domain: ten frozen looks and dynamics, cycled by seed. Nothing is drawn, and nothing is tuned on it.

The numbers were chosen by hand, not from the ranges of the training domains. They stay as they are: a change of
`heldout.json` makes every earlier result incomparable, which is why its hash stands here and in a test. Surfaces that
came with later tasks are in `heldout_more.json`, frozen in the same way.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from robossl_envs.cameras import CAMERAS
from robossl_envs.errors import EnvError
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Light, Look, Surface
from robossl_envs.simulation.scene import BodySpec, Dynamics, Vector3

HELDOUT_SHA256 = "d350d12d86be5921ad2769e780c8a6e7754e1d23ab29f8bf1f2396583e2fe973"
MORE_SHA256 = "d71cdba2bc18617ba8d11620944ed11ef0461cbdb7ab75b326cbd71d45b87267"
NUM_LOOKS = 10
OBJECT_KG = 0.2
"""Nominal mass of the object that the frozen masses were chosen for; other bodies' change by the same factor."""


def heldout_look(seed: int, cameras: Mapping[str, Camera] = CAMERAS, bodies: Sequence[BodySpec] = ()) -> Look:
    """Return look `seed % 10`, with `cameras` moved as that look moves them.

    Cameras fixed to the robot stay where they were screwed on. Look i always comes with dynamics i.
    """
    row = _row(seed)
    more = _more()[seed % NUM_LOOKS]
    needed = {body.surface for body in bodies} & more.keys()
    return Look(
        surfaces={
            part: surface_of(item)
            for part, item in {**row["surfaces"], **{part: more[part] for part in sorted(needed)}}.items()
        },
        light=light_of(row["light"]),
        cameras={name: moved_camera(camera, row["camera"]) for name, camera in cameras.items()},
    )


def heldout_dynamics(seed: int, bodies: Sequence[BodySpec] = ()) -> Dynamics:
    """Return dynamics `seed % 10`."""
    row = _row(seed)["dynamics"]
    mass_kg, friction = row["masses_kg"]["object"], row["frictions"]["object"]
    movable = [body for body in bodies if body.mass_kg > 0]
    return Dynamics(
        masses_kg={**row["masses_kg"], **{body.name: mass_kg * (body.mass_kg / OBJECT_KG) for body in movable}},
        frictions={**row["frictions"], **{body.name: body.friction if body.slippery else friction for body in movable}},
        motor_gain=row["motor_gain"],
    )


def _row(seed: int) -> dict[str, Any]:
    rows = _rows()
    row: dict[str, Any] = rows[seed % len(rows)]
    return row


@cache
def _rows() -> list[dict[str, Any]]:
    return read_frozen("heldout.json", HELDOUT_SHA256)


@cache
def _more() -> list[dict[str, Any]]:
    return read_frozen("heldout_more.json", MORE_SHA256)


def read_frozen(name: str, sha256: str) -> list[dict[str, Any]]:
    """Read a frozen file. Raises `EnvError` if it was changed."""
    content = files("robossl_envs").joinpath(name).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise EnvError(f"{name} was changed (sha256 {found}): install robossl again, held-out domains are frozen")
    rows: list[dict[str, Any]] = json.loads(content)
    return rows


def surface_of(values: Mapping[str, Any]) -> Surface:
    """Return a surface as a frozen file has it."""
    return Surface(rgb=_triple(values["rgb"]), texture=values["texture"])


def light_of(values: Mapping[str, Any]) -> Light:
    """Return a light as a frozen file has it."""
    return Light(**{**values, "direction": _triple(values["direction"]), "rgb": _triple(values["rgb"])})


def moved_camera(camera: Camera, values: Mapping[str, Any]) -> Camera:
    """Move a world camera as a frozen file says; one on the robot stays where it was screwed on."""
    if camera.mounted_on is not None:
        return camera
    return replace(
        camera,
        position_m=_add(camera.position_m, values["position_offset_m"]),
        target_m=_add(camera.target_m, values["target_offset_m"]),
        fov_y_rad=camera.fov_y_rad * values["field_of_view_factor"],
    )


def _triple(values: Sequence[float]) -> Vector3:
    x, y, z = values
    return x, y, z


def _add(first: Vector3, second: Sequence[float]) -> Vector3:
    return _triple([a + b for a, b in zip(first, second, strict=True)])
