"""Many pictures in one draw: the batched renderer on OpenGL (EGL, without a window; Mesa's CPU driver will do)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.gl_device import check_available, shared_context
from robossl_envs.rendering.gl_meshes import SAMPLERS, GlMeshes
from robossl_envs.rendering.gl_packing import Views, body_poses, pack_views
from robossl_envs.rendering.gl_shapes import body_scale, body_shape, robot_shapes
from robossl_envs.rendering.look import Look
from robossl_envs.rendering.renderer import Rendered
from robossl_envs.rendering.textures import texture_pool
from robossl_envs.robots.link_poses import LinkPoses
from robossl_envs.simulation.scene import SceneSpec

MAX_SIDE_PX = 16384
"""Height of the tallest canvas: what every OpenGL 4 driver gives."""
MAX_CANVAS_PX = 2**20
"""Pixels of one draw: 256 pictures of 64 x 64; larger canvases fall out of the processor's cache."""
SUN_PX = 128
"""Side of a picture from the sun, which says what lies in shadow: a pixel is 13 mm, smoothed over two."""
SUN_OFFSET = 2.0
"""Slope and units by which the sun's depths are moved away, so that no surface shades itself."""
CLIP_DISTANCES = (0x3000, 0x3001)


class GlRenderer:
    """Draws views as tiles of one tall canvas, one below the other, with two instanced draws and one read-back.

    Cameras, colours, textures and light are TinyRenderer's (see `gl_shaders.py`), except that a pixel shows its middle
    and not its corner. What else a call draws changes a view by the rounding of single pixels
    at edges, and the same call gives the same bits. To be used from one thread at a time. OpenGL starts with the first
    picture, so that an env can still be made before a process forks.
    """

    name = "gl"

    def __init__(self, scene: SceneSpec) -> None:
        check_available()
        self._scene = scene = scene.to_draw()
        self._links = LinkPoses(scene.robot.urdf, scene.robot.joints, base_position_m=scene.robot.base_position_m)
        self._closed = False
        self._context: Any = None
        self._canvas: tuple[tuple[int, int, int], Any] | None = None
        self._sun: tuple[Any, ...] = ()

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
        step = max(1, min(MAX_SIDE_PX // height_px, MAX_CANVAS_PX // (height_px * width_px)))
        if any(look.light.shadow for look in looks):
            step = min(step, MAX_SIDE_PX // SUN_PX)
        with self._open():
            for start in range(0, num_views, step):
                some = slice(start, min(start + step, num_views))
                views, poses = self._pose(states[some], cameras[some], looks[some], aspect=width_px / height_px)
                canvas = self._draw(views, poses, height_px, width_px)
                colours = _read(canvas, len(poses[0]), height_px, width_px)
                pixels[some] = colours[..., :3]
                if parts is not None:
                    parts[some] = colours[..., 3]
                if depth_m is not None:
                    depth_m[some] = _read_depth(canvas, cameras[some], height_px, width_px)
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
        self._robot = GlMeshes(context, list(shapes.values()), parts=[1] * len(shapes), robot=True)
        bodies = self._scene.bodies
        self._bodies = GlMeshes(
            context,
            [body_shape(body.shape) for body in bodies],
            parts=list(range(2, 2 + len(bodies))),
            scales=[body_scale(body.shape, body.size_m) for body in bodies],
            robot=False,
        )
        white = np.full_like(texture_pool()[0], 255)
        layers = np.stack([white, *texture_pool()])
        self._textures = context.texture_array((*layers.shape[2:0:-1], len(layers)), 3, layers.tobytes())
        self._textures.filter = (context.NEAREST, context.NEAREST)

    def _pose(
        self, states: Float[np.ndarray, "V X"], cameras: Sequence[Camera], looks: Sequence[Look], *, aspect: float
    ) -> tuple[Views, tuple[Float[np.ndarray, "V L 4 4"], Float[np.ndarray, "V B 4 4"]]]:
        num_joints = len(self._scene.robot.joints)
        links = self._links.poses(states[:, :num_joints])
        views = pack_views(cameras, looks, self._scene, self._links, links, aspect=aspect)
        return views, (links[:, self._drawn_links], body_poses(states, num_joints))

    def _draw(self, views: Views, poses: tuple[np.ndarray, np.ndarray], height_px: int, width_px: int) -> Any:
        context, num_views = self._context, len(poses[0])
        context.enable_only(context.DEPTH_TEST | context.CULL_FACE)
        for distance in CLIP_DISTANCES:
            context.enable_direct(distance)
        context.front_face = "cw"  # the tiles are drawn upside down
        if views.sun_to_camera is not None:
            self._draw_from_sun(views.from_sun(), poses)
        canvas = self._sized_canvas(height_px, width_px, num_views)
        canvas.use()
        canvas.viewport = canvas.scissor = (0, 0, width_px, num_views * height_px)
        canvas.clear(1.0, 1.0, 1.0, 0.0)
        self._textures.use(SAMPLERS.index("textures"))
        self._robot.draw(views, poses[0])
        self._bodies.draw(views, poses[1])
        return canvas

    def _draw_from_sun(self, views: Views, poses: tuple[np.ndarray, np.ndarray]) -> None:
        """Draw what the sun sees of each view, for the shadows on it; only depths are kept."""
        self._release_sun()
        depths = self._context.depth_texture((SUN_PX, len(poses[0]) * SUN_PX))
        depths.compare_func = "<="
        depths.filter = (self._context.LINEAR, self._context.LINEAR)
        canvas = self._context.framebuffer(depth_attachment=depths)
        self._sun = depths, canvas
        canvas.use()
        canvas.clear()
        self._context.polygon_offset = SUN_OFFSET, SUN_OFFSET
        self._robot.draw(views, poses[0], everything=True)
        self._bodies.draw(views, poses[1], everything=True)
        self._context.polygon_offset = 0.0, 0.0
        depths.use(SAMPLERS.index("sun_depths"))

    def _sized_canvas(self, height_px: int, width_px: int, num_views: int) -> Any:
        """Return a canvas with room for this many tiles; the last one is used again if it fits."""
        if self._canvas is not None:
            (height, width, room), canvas = self._canvas
            if (height, width) == (height_px, width_px) and room >= num_views:
                return canvas
            self._release_canvas()
        size = (width_px, num_views * height_px)
        canvas = self._context.framebuffer(
            color_attachments=[self._context.texture(size, 4)], depth_attachment=self._context.depth_texture(size)
        )
        self._canvas = (height_px, width_px, num_views), canvas
        return canvas

    def _release_canvas(self) -> None:
        if self._canvas is not None:
            canvas = self._canvas[1]
            for attachment in (*canvas.color_attachments, canvas.depth_attachment, canvas):
                attachment.release()
        self._canvas = None

    def _release_sun(self) -> None:
        for held in self._sun:
            held.release()
        self._sun = ()

    def close(self) -> None:
        """Free what it holds; the process's context stays for other renderers. A second call does nothing."""
        if self._context is not None and not self._closed:
            with self._context:
                self._release_canvas()
                self._release_sun()
                for held in (self._robot, self._bodies, self._textures):
                    held.release()
        self._closed = True


def _read(canvas: Any, num_views: int, height_px: int, width_px: int) -> np.ndarray:
    data = canvas.read(viewport=(0, 0, width_px, num_views * height_px), components=4, alignment=1)
    return np.frombuffer(data, np.uint8).reshape(num_views, height_px, width_px, 4)


def _read_depth(canvas: Any, cameras: Sequence[Camera], height_px: int, width_px: int) -> np.ndarray:
    """Return metres: the buffer holds 0 at the near plane and 1 at the far one."""
    area = (0, 0, width_px, len(cameras) * height_px)
    data = canvas.read(viewport=area, components=1, attachment=-1, alignment=1, dtype="f4")
    buffer = np.frombuffer(data, np.float32).reshape(len(cameras), height_px, width_px).astype(float)
    near, far = (np.array([getattr(camera, name) for camera in cameras])[:, None, None] for name in ("near_m", "far_m"))
    return far * near / (far - (far - near) * buffer)
