"""States, cameras and looks as the arrays that one instanced draw takes; everything vectorized over views."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int

from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Look, Surface
from robossl_envs.robots.link_poses import LinkPoses
from robossl_envs.simulation.scene import SceneSpec

PLAIN_FLOATS = 36
"""Matrix 16, light 4, up 4, tint 4, diffuse 4, specular 4: as the shaders take them."""
SHADOW_FLOATS = PLAIN_FLOATS + 13
"""And with shadows: three rows of the sun's matrix 12, and what a shadow leaves of the direct light."""
SHADE = 0.8
"""TinyRenderer's."""
SUN_CENTRE_M, SUN_REACH_M, SUN_AWAY_M = (0.45, 0.0, 0.1), 0.85, 1.5
"""The sun looks at a square of twice this reach about the table's middle, from this far."""
Item = TypeVar("Item")


@dataclass(frozen=True)
class Views:
    """What V views need apart from poses."""

    to_camera: Float[np.ndarray, "V 4 4"]
    """World to camera coordinates."""
    projection: Float[np.ndarray, "V 4 4"]
    tints: Float[np.ndarray, "V P 4"]
    """rgb and texture layer of each part, the robot first."""
    light: Float[np.ndarray, "V 3"]
    """Unit direction towards the light, world frame."""
    diffuse: Float[np.ndarray, "V 4"]
    """Diffuse rgb, ambient."""
    specular: Float[np.ndarray, "V 3"]
    shade: Float[np.ndarray, " V"]
    """Part of the direct light that a shadow leaves; 1: none is cast."""
    sun_to_camera: Float[np.ndarray, "V 4 4"] | None
    """World coordinates to those of the sun; None where no view has shadows."""

    def from_sun(self) -> "Views":
        """Return the scene as the sun sees it."""
        if self.sun_to_camera is None:
            raise ValueError("no view has shadows")
        projection = np.repeat(_sun_projection()[None], len(self.shade), axis=0)
        return replace(self, to_camera=self.sun_to_camera, projection=projection, sun_to_camera=None)


def body_poses(states: Float[np.ndarray, "V X"], num_joints: int) -> Float[np.ndarray, "V B 4 4"]:
    """Return body to world coordinates, from the positions and quaternions behind the joints."""
    rows = states[:, num_joints:].reshape(len(states), -1, 7)
    x, y, z, w = np.moveaxis(rows[..., 3:] / np.linalg.norm(rows[..., 3:], axis=-1, keepdims=True), -1, 0)
    poses = np.zeros((*rows.shape[:2], 4, 4))
    poses[..., 0, 0], poses[..., 0, 1], poses[..., 0, 2] = (
        1 - 2 * (y * y + z * z),
        2 * (x * y - z * w),
        2 * (x * z + y * w),
    )
    poses[..., 1, 0], poses[..., 1, 1], poses[..., 1, 2] = (
        2 * (x * y + z * w),
        1 - 2 * (x * x + z * z),
        2 * (y * z - x * w),
    )
    poses[..., 2, 0], poses[..., 2, 1], poses[..., 2, 2] = (
        2 * (x * z - y * w),
        2 * (y * z + x * w),
        1 - 2 * (x * x + y * y),
    )
    poses[..., :3, 3], poses[..., 3, 3] = rows[..., :3], 1.0
    return poses


def pack_views(
    cameras: Sequence[Camera],
    looks: Sequence[Look],
    scene: SceneSpec,
    links: LinkPoses,
    link_poses: Float[np.ndarray, "V L 4 4"],
    *,
    aspect: float,
) -> Views:
    """Return the arrays of V views; a look or camera that many views share is packed once."""
    which, different = _distinct(cameras)
    to_camera = np.stack([camera.view_matrix() for camera in different])[which]
    mounts = np.array(
        [-1 if camera.mounted_on is None else links.names.index(camera.mounted_on) for camera in different]
    )[which]
    riding = np.flatnonzero(mounts >= 0)
    if len(riding):
        to_camera[riding] = to_camera[riding] @ _inverse(link_poses[riding, mounts[riding]])
    projection = np.stack([camera.projection_matrix(aspect=aspect) for camera in different])[which]
    which, worn = _distinct(looks)
    towards = np.array([look.light.direction for look in worn], dtype=float)
    rgb = np.array([look.light.rgb for look in worn])
    diffuse, specular, ambient = (
        np.array([getattr(look.light, name) for look in worn])[:, None] for name in ("diffuse", "specular", "ambient")
    )
    return Views(
        to_camera,
        projection,
        np.array([_tints(look, scene) for look in worn])[which],
        (towards / np.linalg.norm(towards, axis=1, keepdims=True))[which],
        np.concatenate([diffuse * rgb, ambient], axis=1)[which],
        (specular * rgb)[which],
        np.array([SHADE if look.light.shadow else 1.0 for look in worn])[which],
        np.stack([_sun_view(look) for look in worn])[which] if any(look.light.shadow for look in worn) else None,
    )


def instances(
    views: Views,
    poses: Float[np.ndarray, "V M 4 4"],
    scales: Float[np.ndarray, "M 3"],
    seen: Int[np.ndarray, "2 I"],
    parts: Int[np.ndarray, " M"],
) -> Float[np.ndarray, "I K"]:
    """Return one row for each mesh that a view sees.

    Args:
        views: V of them.
        poses: mesh to world coordinates, without stretching.
        scales: of the meshes.
        seen: mesh and view of each row.
        parts: number of each mesh in the masks.
    """
    mesh, view = seen
    num_tiles, tile = len(poses), 2.0 * view + 1 - len(poses)
    rotations = poses[view, mesh, :3, :3]
    to_clip = views.projection[view] @ views.to_camera[view] @ poses[view, mesh]
    to_clip[:, :, :3] *= scales[mesh][:, None]
    # upside down, since OpenGL's first row is the lowest, and into the tile of the view, one below the other
    to_clip[:, 1] = (tile[:, None] * to_clip[:, 3] - to_clip[:, 1]) / num_tiles
    num_floats = PLAIN_FLOATS if views.sun_to_camera is None else SHADOW_FLOATS
    rows = np.empty((len(view), num_floats), dtype=np.float32)
    rows[:, :16] = to_clip.transpose(0, 2, 1).reshape(-1, 16)
    rows[:, 16:19] = np.einsum("ni,nij->nj", views.light[view], rotations)
    rows[:, 19] = views.light[view, 2]
    rows[:, 20:23], rows[:, 23] = rotations[:, 2], tile
    rows[:, 24:28] = views.tints[view, np.maximum(parts[mesh] - 1, 0)]
    rows[:, 28:32] = views.diffuse[view]
    rows[:, 32:35], rows[:, 35] = views.specular[view], parts[mesh] / 255
    if views.sun_to_camera is not None:
        to_sun = _sun_projection() @ views.sun_to_camera[view] @ poses[view, mesh]
        to_sun[:, :, :3] *= scales[mesh][:, None]
        rows[:, 36:48], rows[:, 48] = to_sun[:, :3].reshape(-1, 12), views.shade[view]
    return rows


def in_sight(
    views: Views, poses: Float[np.ndarray, "V M 4 4"], centres: Float[np.ndarray, "M 3"], radii: Float[np.ndarray, " M"]
) -> Int[np.ndarray, "2 I"]:
    """Return mesh and view of every pair whose bounding sphere reaches into the picture, mesh by mesh.

    A camera on the wrist sees little of the arm: a quarter of such a view's cost is saved.
    """
    at = np.einsum("vmij,mj->vmi", poses[..., :3, :3], centres) + poses[..., :3, 3]
    seen = np.einsum("vij,vmj->vmi", views.to_camera[:, :3, :3], at) + views.to_camera[:, None, :3, 3]
    x, y, away = np.abs(seen[..., 0]), np.abs(seen[..., 1]), -seen[..., 2]
    inside = away + radii > 0
    for across, focal in ((x, views.projection[:, 0, 0]), (y, views.projection[:, 1, 1])):
        # distance to the side plane of the frustum: |across| * focal = away
        inside &= (focal[:, None] * across - away) / np.sqrt(focal**2 + 1)[:, None] < radii
    return np.array(np.nonzero(inside.T))


def all_pairs(num_views: int, num_meshes: int) -> Int[np.ndarray, "2 I"]:
    """Return mesh and view of every pair, mesh by mesh."""
    return np.indices((num_meshes, num_views)).reshape(2, -1)


def _sun_view(look: Look) -> Float[np.ndarray, "4 4"]:
    towards = np.array(look.light.direction, dtype=float)
    towards /= np.linalg.norm(towards)
    x, y, z = np.array(SUN_CENTRE_M) + SUN_AWAY_M * towards
    up = (1.0, 0.0, 0.0) if abs(towards[2]) > 0.99 else (0.0, 0.0, 1.0)
    return Camera(name="sun", position_m=(x, y, z), target_m=SUN_CENTRE_M, up=up).view_matrix()


def _sun_projection() -> Float[np.ndarray, "4 4"]:
    """Return the parallel projection that takes everything within reach into -1 to 1."""
    depth_m = SUN_AWAY_M  # as much behind the centre as before it
    matrix = np.diag([1 / SUN_REACH_M, 1 / SUN_REACH_M, -1 / depth_m, 1.0])
    matrix[2, 3] = -SUN_AWAY_M / depth_m
    return matrix


def _tints(look: Look, scene: SceneSpec) -> list[tuple[float, ...]]:
    """Return the colour and texture layer of each part; a part that the look does not name keeps its own."""
    own = [("robot", Surface(rgb=(1.0, 1.0, 1.0))), *((body.surface, Surface(rgb=body.rgb)) for body in scene.bodies)]
    worn = [look.surfaces.get(name, surface) for name, surface in own]
    return [(*surface.rgb, 0.0 if surface.texture is None else 1.0 + surface.texture) for surface in worn]


def _distinct(items: Sequence[Item]) -> tuple[Int[np.ndarray, " V"], list[Item]]:
    """Return the different objects among the items, and which of them each item is."""
    numbers: dict[int, int] = {}
    which = np.array([numbers.setdefault(id(item), len(numbers)) for item in items])
    first = {int(number): item for number, item in zip(which[::-1], items[::-1], strict=True)}
    return which, [first[number] for number in range(len(first))]


def _inverse(poses: Float[np.ndarray, "N 4 4"]) -> Float[np.ndarray, "N 4 4"]:
    inverse = np.zeros_like(poses)
    inverse[:, :3, :3] = poses[:, :3, :3].transpose(0, 2, 1)
    inverse[:, :3, 3] = -np.einsum("nij,nj->ni", inverse[:, :3, :3], poses[:, :3, 3])
    inverse[:, 3, 3] = 1.0
    return inverse
