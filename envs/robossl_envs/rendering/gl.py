"""Many pictures in one draw: the batched renderer on OpenGL (EGL, without a window; Mesa's CPU driver will do)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from robossl_envs.errors import EnvError
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.gl_device import check_available, shared_context
from robossl_envs.rendering.gl_layers import MAX_LAYERS, Canvas, SunCanvas
from robossl_envs.rendering.gl_meshes import GlMeshes
from robossl_envs.rendering.gl_packing import Packing, Views, body_poses
from robossl_envs.rendering.gl_shaders import SUN_DEPTHS, TEXTURES
from robossl_envs.rendering.gl_shapes import Mesh, body_scale, body_shape, robot_shapes
from robossl_envs.rendering.look import Look
from robossl_envs.rendering.renderer import Rendered
from robossl_envs.rendering.textures import texture_pool
from robossl_envs.robots.link_poses import LinkPoses
from robossl_envs.simulation.scene import SceneSpec

MAX_CANVAS_PX = 2**20
"""Pixels of one draw: 256 pictures of 64 x 64; larger canvases fall out of the processor's cache."""
SUN_PX = 128
"""Side of a picture from the sun, which says what lies in shadow: a pixel is 13 mm, smoothed over two."""
SUN_OFFSET = 2.0
"""Slope and units by which the sun's depths are moved away, so that no surface shades itself."""


class GlRenderer:
    """Draws views into the layers of one canvas, with two instanced draws and one read-back.

    Cameras, colours, textures and light are TinyRenderer's (see `gl_shaders.py`), except that a pixel shows its middle
    and not its corner. A view has the same bits whatever else a call draws, so that one call for a whole episode gives
    what a call for each step gives. To be used from one thread at a time. OpenGL starts with the first picture, so
    that an env can still be made before a process forks.
    """

    name = "gl"

    def __init__(self, scene: SceneSpec) -> None:
        check_available()
        self._scene = scene = scene.to_draw()
        self._links = LinkPoses(scene.robot.urdf, scene.robot.joints, base_position_m=scene.robot.base_position_m)
        self._closed = False
        self._context: Any = None
        self._canvas: Canvas | None = None
        self._sun: SunCanvas | None = None

    def render(
        self,
        visual_states: Float[np.ndarray, "V X"],
        cameras: Sequence[Camera],
        looks: Sequence[Look],
        *,
        height_px: int,
        width_px: int,
        depth: bool = False,
        masks: bool = False,
    ) -> Rendered:
        """Draw V views; view i shows state i through camera i under look i."""
        states = self._check(visual_states, cameras, looks)
        num_views = len(states)
        pixels = np.empty((num_views, height_px, width_px, 3), dtype=np.uint8)
        depth_m = np.empty((num_views, height_px, width_px), dtype=np.float32) if depth else None
        parts = np.empty((num_views, height_px, width_px), dtype=np.int32) if masks else None
        step = max(1, min(MAX_LAYERS, MAX_CANVAS_PX // (height_px * width_px)))
        with self._open():
            for start in range(0, num_views, step):
                some = slice(start, min(start + step, num_views))
                canvas = self._draw(states[some], cameras[some], looks[some], height_px, width_px)
                colours = canvas.colours(len(states[some]))
                pixels[some] = colours[..., :3]
                if parts is not None:
                    parts[some] = colours[..., 3]
                if depth_m is not None:
                    depth_m[some] = _metres(canvas.depths(len(states[some])), cameras[some])
        return Rendered(pixels=pixels, depth_m=depth_m, masks=parts)

    def _check(
        self, visual_states: Float[np.ndarray, "V X"], cameras: Sequence[Camera], looks: Sequence[Look]
    ) -> Float[np.ndarray, "V X"]:
        states = np.asarray(visual_states, dtype=float)
        expected = len(self._scene.robot.joints) + 7 * len(self._scene.bodies)
        if states.ndim != 2 or states.shape[1] != expected:
            raise EnvError(f"a visual state of this scene has {expected} numbers, not {states.shape[-1]}")
        if not len(states) == len(cameras) == len(looks):
            raise EnvError(f"{len(states)} states, {len(cameras)} cameras and {len(looks)} looks: one each a view")
        return states

    def _open(self) -> Any:
        """Return the context to draw in; the first call uploads the scene."""
        if self._closed:
            raise EnvError("this renderer is closed: make the env again")
        context = shared_context()
        if self._context is None:
            with context:
                self._upload(context)
            self._context = context
        return context

    def _upload(self, context: Any) -> None:
        shapes = robot_shapes(self._scene.robot.urdf)
        self._drawn_links = [self._links.names.index(name) for name in shapes]
        robot = [Mesh(shape=shape, part=1) for shape in shapes.values()]
        bodies = [
            Mesh(shape=body_shape(body.shape), part=2 + number, scale=body_scale(body.shape, body.size_m))
            for number, body in enumerate(self._scene.bodies)
        ]
        self._packing = Packing(self._scene, self._links, [*robot, *bodies])
        self._meshes = GlMeshes(context, robot=[mesh.shape for mesh in robot], bodies=[mesh.shape for mesh in bodies])
        white = np.full_like(texture_pool()[0], 255)
        layers = np.stack([white, *texture_pool()])
        self._textures = context.texture_array((*layers.shape[2:0:-1], len(layers)), 3, layers.tobytes())
        self._textures.filter = (context.NEAREST, context.NEAREST)

    def _draw(
        self,
        states: Float[np.ndarray, "V X"],
        cameras: Sequence[Camera],
        looks: Sequence[Look],
        height_px: int,
        width_px: int,
    ) -> Canvas:
        context, num_joints = self._context, len(self._scene.robot.joints)
        links = self._links.poses(states[:, :num_joints])
        poses = np.concatenate([links[:, self._drawn_links], body_poses(states, num_joints)], axis=1)
        views = self._packing.views(cameras, looks, aspect=width_px / height_px)
        context.enable_only(context.DEPTH_TEST | context.CULL_FACE)
        context.front_face = "cw"  # pictures are drawn upside down
        if views.to_sun is not None:
            self._draw_from_sun(views, poses)
        canvas = self._sized_canvas(height_px, width_px, len(states))
        canvas.clear()
        self._textures.use(TEXTURES)
        self._meshes.draw(*self._packing.rows(views, links, poses))
        return canvas

    def _draw_from_sun(self, views: Views, poses: Float[np.ndarray, "V M 4 4"]) -> None:
        """Draw what the sun sees of each view, for the shadows on it; only depths are kept."""
        if self._sun is not None:
            self._sun.release()
        self._sun = SunCanvas(self._context, side_px=SUN_PX, num_layers=len(poses))
        self._sun.clear()
        self._context.polygon_offset = SUN_OFFSET, SUN_OFFSET
        self._meshes.draw(*self._packing.sun_rows(views, poses))
        self._context.polygon_offset = 0.0, 0.0
        self._sun.compare_in(SUN_DEPTHS)

    def _sized_canvas(self, height_px: int, width_px: int, num_views: int) -> Canvas:
        """Return a canvas with room for this many views; the last one is used again if it fits."""
        canvas = self._canvas
        if canvas is None or canvas.size != (height_px, width_px) or canvas.num_layers < num_views:
            if canvas is not None:
                canvas.release()
            canvas = Canvas(self._context, height_px=height_px, width_px=width_px, num_layers=num_views)
            self._canvas = canvas
        return canvas

    def close(self) -> None:
        """Free what it holds; the process's context stays for other renderers. A second call does nothing."""
        if self._context is not None and not self._closed:
            with self._context:
                for held in (self._canvas, self._sun, self._meshes, self._textures):
                    if held is not None:
                        held.release()
        self._closed = True


def _metres(buffer: Float32[np.ndarray, "V H W"], cameras: Sequence[Camera]) -> Float[np.ndarray, "V H W"]:
    """Return metres: the buffer holds 0 at the near plane and 1 at the far one."""
    near, far = (np.array([getattr(camera, name) for camera in cameras])[:, None, None] for name in ("near_m", "far_m"))
    return far * near / (far - (far - near) * buffer.astype(float))
