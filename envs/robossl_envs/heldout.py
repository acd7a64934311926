"""The held-out domain: ten frozen looks and dynamics, cycled by seed. Nothing is drawn, and nothing is tuned on it.

The numbers were chosen by hand, not from the ranges of the training domains. They stay as they are: a change of
`heldout.json` makes every earlier result incomparable, which is why its hash stands here and in a test.
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
from robossl_envs.simulation.scene import Dynamics, Vector3

HELDOUT_SHA256 = "d350d12d86be5921ad2769e780c8a6e7754e1d23ab29f8bf1f2396583e2fe973"
NUM_LOOKS = 10


def heldout_look(seed: int, cameras: Mapping[str, Camera] = CAMERAS) -> Look:
    """Return look `seed % 10`, with `cameras` moved as that look moves them.

    Cameras fixed to the robot stay where they were screwed on. Look i always comes with dynamics i.
    """
    row = _row(seed)
    return Look(
        surfaces={
            part: Surface(rgb=_triple(item["rgb"]), texture=item["texture"]) for part, item in row["surfaces"].items()
        },
        light=_light(row["light"]),
        cameras={name: _move(camera, row["camera"]) for name, camera in cameras.items()},
    )


def heldout_dynamics(seed: int) -> Dynamics:
    """Return dynamics `seed % 10`."""
    return Dynamics(**_row(seed)["dynamics"])


def _row(seed: int) -> dict[str, Any]:
    rows = _rows()
    row: dict[str, Any] = rows[seed % len(rows)]
    return row


@cache
def _rows() -> list[dict[str, Any]]:
    """Read the frozen file. Raises `EnvError` if it was changed."""
    content = files("robossl_envs").joinpath("heldout.json").read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != HELDOUT_SHA256:
        raise EnvError(
            f"heldout.json was changed (sha256 {found}): install robossl again, the held-out domain is frozen"
        )
    rows: list[dict[str, Any]] = json.loads(content)
    return rows


def _light(values: Mapping[str, Any]) -> Light:
    return Light(**{**values, "direction": _triple(values["direction"]), "rgb": _triple(values["rgb"])})


def _move(camera: Camera, values: Mapping[str, Any]) -> Camera:
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
