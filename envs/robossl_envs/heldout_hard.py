"""The hard held-out domain: ten frozen looks and dynamics of its own, cycled by seed, with clutter beside the task.

Beyond `heldout` the cameras stand further away from where they were, at an angle, some looks throw shadows, contacts
are harder than the engine's own (softer ones let a puck pass between the fingers), and actions take effect 8 to 25 ms
late. The numbers were drawn once, looked at, and frozen as they are: a change of `heldout_hard.json` makes every
earlier result incomparable, which is why its hash stands here and in a test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from robossl_envs.cameras import CAMERAS
from robossl_envs.heldout import light_of, moved_camera, read_frozen, surface_of
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Look
from robossl_envs.simulation.scene import BodySpec, Dynamics

HARD_SHA256 = "59bdf2cbd5bb0049abf6ba52fb47d09175aae0366a79901a5ca5fa013e86df93"


def hard_look(seed: int, cameras: Mapping[str, Camera] = CAMERAS, bodies: Sequence[BodySpec] = ()) -> Look:
    """Return look `seed % 10`; without `bodies` with every surface that there is."""
    row = _row(seed)
    worn = {body.surface for body in bodies} | {"robot"} if bodies else set(row["surfaces"])
    return Look(
        surfaces={part: surface_of(values) for part, values in row["surfaces"].items() if part in worn},
        light=light_of(row["light"]),
        cameras={name: _tilted(moved_camera(camera, row["camera"]), row) for name, camera in cameras.items()},
    )


def hard_dynamics(seed: int, bodies: Sequence[BodySpec] = ()) -> Dynamics:
    """Return dynamics `seed % 10`."""
    row = _row(seed)["dynamics"]
    movable = [body for body in bodies if body.mass_kg > 0]
    return Dynamics(
        masses_kg={body.name: body.mass_kg * row["mass_factor"] for body in movable},
        frictions={body.name: body.friction if body.slippery else row["friction"] for body in movable},
        motor_gain=row["motor_gain"],
        contact_time=row["contact_time"],
        spin_friction=row["spin_friction"],
    )


def hard_delay_s(seed: int) -> float:
    """Return the time [s] from an action to its effect that comes with look `seed % 10`."""
    delay_s: float = _row(seed)["dynamics"]["delay_s"]
    return delay_s


def _tilted(camera: Camera, row: Mapping[str, Any]) -> Camera:
    """Turn a world camera about its own axis."""
    return camera if camera.mounted_on is not None else replace(camera, roll_rad=row["camera"]["roll_rad"])


def _row(seed: int) -> dict[str, Any]:
    rows = _rows()
    row: dict[str, Any] = rows[seed % len(rows)]
    return row


@cache
def _rows() -> list[dict[str, Any]]:
    return read_frozen("heldout_hard.json", HARD_SHA256)
