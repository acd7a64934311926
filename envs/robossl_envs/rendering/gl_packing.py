"""States, cameras and looks as the arrays that one instanced draw takes; everything vectorized over views."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.gl_shapes import Mesh
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
_UPSIDE_DOWN = np.diag([1.0, -1.0, 1.0, 1.0])
"""OpenGL's first row is the lowest."""
Item = TypeVar("Item")


@dataclass(frozen=True)
class Views:
    """What V views need apart from states."""

    to_camera: Float[np.ndarray, "V 4 4"]
    """World to camera coordinates, or those of the link that carries the camera."""
    mounts: Int[np.ndarray, " V"]
    """That link; -1: none."""
    projection: Float[np.ndarray, "V 4 4"]
    light: Float[np.ndarray, "V 3"]
    """Unit direction towards the light, world frame."""
    rows: Float32[np.ndarray, "V M K"]
    """What goes to the shaders for each mesh, as far as no state has a part in it."""
    to_sun: Float[np.ndarray, "V 4 4"] | None
    """World to the sun's clip coordinates; None where no view has shadows."""


class Packing:
    """Packs views of one scene; those of the call before are kept, since an env draws a whole episode in one look."""

    def __init__(self, scene: SceneSpec, links: LinkPoses, meshes: Sequence[Mesh]) -> None:
        self._scene, self._links = scene, links
        self._parts = np.array([mesh.part for mesh in meshes])
        self._scales = np.array([[*mesh.scale, 1.0] for mesh in meshes])[:, :, None]
        self._centres = np.stack([[*(mesh.shape.centre * mesh.scale), 1.0] for mesh in meshes])
        self._radii = np.array([np.linalg.norm(mesh.shape.half_extents * mesh.scale) for mesh in meshes])
        self._kept: tuple[tuple[object, ...], float, Views] | None = None

    def views(self, cameras: Sequence[Camera], looks: Sequence[Look], *, aspect: float) -> Views:
        """Return the arrays of V views; a look or camera that many views share is packed once."""
        wanted = (*cameras, *looks)
        if self._kept is not None:
            kept, kept_aspect, views = self._kept
            if kept_aspect == aspect and len(kept) == len(wanted) and all(map(_is, kept, wanted)):
                return views
        views = self._pack(cameras, looks, aspect)
        self._kept = wanted, aspect, views
        return views

    def _pack(self, cameras: Sequence[Camera], looks: Sequence[Look], aspect: float) -> Views:
        of_view, different = _distinct(cameras)
        names = self._links.names
        mounts = [-1 if camera.mounted_on is None else names.index(camera.mounted_on) for camera in different]
        projections = [_UPSIDE_DOWN @ camera.projection_matrix(aspect=aspect) for camera in different]
        worn_by_view, worn = _distinct(looks)
        towards = np.array([look.light.direction for look in worn], dtype=float)
        light = (towards / np.linalg.norm(towards, axis=1, keepdims=True))[worn_by_view]
        shadows = any(look.light.shadow for look in worn)
        return Views(
            to_camera=np.stack([camera.view_matrix() for camera in different])[of_view],
            mounts=np.array(mounts)[of_view],
            projection=np.stack(projections)[of_view],
            light=light,
            rows=self._fixed_rows(worn, light[:, 2], worn_by_view, shadows=shadows),
            to_sun=np.stack([_sun_projection() @ _sun_view(look) for look in worn])[worn_by_view] if shadows else None,
        )

    def _fixed_rows(
        self,
        worn: Sequence[Look],
        light_height: Float[np.ndarray, " V"],
        of_view: Int[np.ndarray, " V"],
        *,
        shadows: bool,
    ) -> Float32[np.ndarray, "V M K"]:
        rgb = np.array([look.light.rgb for look in worn])
        diffuse, specular, ambient = (
            np.array([getattr(look.light, name) for look in worn])[:, None]
            for name in ("diffuse", "specular", "ambient")
        )
        num_floats = SHADOW_FLOATS if shadows else PLAIN_FLOATS
        rows = np.zeros((len(of_view), len(self._parts), num_floats), dtype=np.float32)
        rows[..., 19] = light_height[:, None]
        rows[..., 23] = np.arange(len(of_view))[:, None]
        tints = np.array([_tints(look, self._scene) for look in worn])
        rows[..., 24:28] = tints[of_view][:, self._parts - 1]
        rows[..., 28:32] = np.concatenate([diffuse * rgb, ambient], axis=1)[of_view][:, None]
        rows[..., 32:35] = (specular * rgb)[of_view][:, None]
        rows[..., 35] = self._parts / 255
        if shadows:
            rows[..., 48] = np.array([SHADE if look.light.shadow else 1.0 for look in worn])[of_view][:, None]
        return rows

    def rows(
        self, views: Views, links: Float[np.ndarray, "V L 4 4"], poses: Float[np.ndarray, "V M 4 4"]
    ) -> tuple[Float32[np.ndarray, "I K"], Int[np.ndarray, " M"]]:
        """Return one row for each mesh in each view that has it in sight, mesh by mesh, and how many each mesh has.

        Args:
            views: V of them.
            links: link to world coordinates.
            poses: mesh to world coordinates, without stretching.
        """
        to_camera, riding = views.to_camera, np.flatnonzero(views.mounts >= 0)
        if len(riding):
            to_camera = to_camera.copy()
            to_camera[riding] = to_camera[riding] @ _inverse(links[riding, views.mounts[riding]])
        to_clip = (views.projection @ to_camera)[:, None] @ poses
        rows = views.rows.copy()
        self._place(rows, 0, to_clip)
        rows[..., 16:19] = np.einsum("vi,vmij->vmj", views.light, poses[..., :3, :3])
        rows[..., 20:23] = poses[..., 2, :3]
        if views.to_sun is not None:
            to_sun = (views.to_sun[:, None] @ poses)[..., :3, :]
            rows[..., 36:48] = (to_sun * self._scales[..., 0][:, None]).reshape(*rows.shape[:2], 12)
        return _seen_rows(rows, self._in_sight(views, to_clip))

    def sun_rows(
        self, views: Views, poses: Float[np.ndarray, "V M 4 4"]
    ) -> tuple[Float32[np.ndarray, "I K"], Int[np.ndarray, " M"]]:
        """Return the rows of all meshes as the sun sees them: nothing is out of its sight."""
        if views.to_sun is None:
            raise ValueError("no view has shadows")
        rows = views.rows[..., :PLAIN_FLOATS].copy()
        self._place(rows, 0, views.to_sun[:, None] @ poses)
        return _seen_rows(rows, np.ones(rows.shape[:2], dtype=bool))

    def _place(self, rows: Float32[np.ndarray, "V M K"], start: int, matrices: Float[np.ndarray, "V M 4 4"]) -> None:
        """Write matrices, column by column as OpenGL takes them, stretched as the meshes are."""
        place = rows[..., start : start + 16].reshape(*rows.shape[:2], 4, 4)
        np.multiply(matrices.swapaxes(-1, -2), self._scales, out=place, casting="same_kind")

    def _in_sight(self, views: Views, to_clip: Float[np.ndarray, "V M 4 4"]) -> Bool[np.ndarray, "V M"]:
        """Tell whose bounding sphere reaches into the picture.

        A camera on the wrist sees little of the arm: a quarter of such a view's cost is saved.
        """
        at = np.einsum("vmij,mj->vmi", to_clip, self._centres)
        away = at[..., 3]
        focal = views.projection[:, (0, 1), (0, 1)]  # the second one is negative
        # how far beyond a side plane of the frustum, where |x| * focal = away
        beyond = (np.abs(at[..., :2]) - away[..., None]) / np.sqrt(focal**2 + 1)[:, None]
        return (away + self._radii > 0) & (beyond.max(axis=-1) < self._radii)


def body_poses(states: Float[np.ndarray, "V X"], num_joints: int) -> Float[np.ndarray, "V B 4 4"]:
    """Return body to world coordinates, from the positions and quaternions behind the joints."""
    rows = states[:, num_joints:].reshape(len(states), -1, 7)
    quaternions = rows[..., 3:] / np.sqrt((rows[..., 3:] ** 2).sum(axis=-1, keepdims=True))
    products = (quaternions[..., :, None] * quaternions[..., None, :]).reshape(*rows.shape[:2], 16)
    poses = np.zeros((*rows.shape[:2], 4, 4))
    turned = 2 * (products[..., _FIRST] + _SIGNS * products[..., _SECOND])
    poses[..., :3, :3] = (_ONES + _TURN_SIGNS * turned).reshape(*rows.shape[:2], 3, 3)
    poses[..., :3, 3], poses[..., 3, 3] = rows[..., :3], 1.0
    return poses


def _entries() -> tuple[np.ndarray, ...]:
    """Return what the nine entries of a rotation are made of: 1 - 2 (yy + zz), 2 (xy - zw), ... of a quaternion."""
    at = {"x": 0, "y": 1, "z": 2, "w": 3}
    terms = ("yy+zz", "xy-zw", "xz+yw", "xy+zw", "xx+zz", "yz-xw", "xz-yw", "yz+xw", "xx+yy")
    first = np.array([4 * at[term[0]] + at[term[1]] for term in terms])
    second = np.array([4 * at[term[3]] + at[term[4]] for term in terms])
    signs = np.array([1.0 if term[2] == "+" else -1.0 for term in terms])
    ones = np.eye(3).ravel()
    return first, second, signs, ones, 1.0 - 2.0 * ones


_FIRST, _SECOND, _SIGNS, _ONES, _TURN_SIGNS = _entries()


def _is(first: object, second: object) -> bool:
    return first is second


def _seen_rows(
    rows: Float32[np.ndarray, "V M K"], seen: Bool[np.ndarray, "V M"]
) -> tuple[Float32[np.ndarray, "I K"], Int[np.ndarray, " M"]]:
    mesh, view = np.nonzero(seen.T)
    return rows[view, mesh], seen.sum(axis=0)


def _sun_view(look: Look) -> Float[np.ndarray, "4 4"]:
    towards = np.array(look.light.direction, dtype=float)
    towards /= np.linalg.norm(towards)
    x, y, z = np.array(SUN_CENTRE_M) + SUN_AWAY_M * towards
    up = (1.0, 0.0, 0.0) if abs(towards[2]) > 0.99 else (0.0, 0.0, 1.0)
    return Camera(name="sun", position_m=(x, y, z), target_m=SUN_CENTRE_M, up=up).view_matrix()


def _sun_projection() -> Float[np.ndarray, "4 4"]:
    """Return the parallel projection that takes everything within reach into -1 to 1, upside down as pictures are."""
    depth_m = SUN_AWAY_M  # as much behind the centre as before it
    matrix = np.diag([1 / SUN_REACH_M, -1 / SUN_REACH_M, -1 / depth_m, 1.0])
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
