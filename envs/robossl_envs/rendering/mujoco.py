"""MuJoCo's own renderer, for any engine's instants. The held-out domain is drawn by it."""

from collections.abc import Sequence

import mujoco
import numpy as np
from jaxtyping import Float, Int

from robossl_envs.errors import EnvError, unknown
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.gl_context import NoGlError, make_context
from robossl_envs.rendering.look import Light, Look, Surface
from robossl_envs.rendering.renderer import Rendered
from robossl_envs.rendering.textures import texture_pool
from robossl_envs.simulation.mujoco_model import VISUAL_GROUP, build_spec, pose_scene
from robossl_envs.simulation.scene import SceneSpec

SHADOW_MAP_PX = 512
"""MuJoCo's own 4096 costs 0.2 s a picture on a CPU."""
SHADOW_CENTRE_M = np.array([0.45, 0.0, 0.0])
SHADOW_REACH_M = 1.5
"""The shadow map looks at the middle of the table from this far."""
UNTINTED = 0.5
"""A geom of exactly this grey takes its material's colour, so the materials have the same."""


class MujocoRenderer:
    """Draws with a model of its own, which is only posed and never stepped.

    Raises `NoGlError` where the machine has neither EGL nor OSMesa.
    """

    def __init__(self, scene: SceneSpec) -> None:
        backend, self._gl = make_context()
        self.name = f"mujoco-{backend}"
        """`mujoco-egl` or `mujoco-osmesa`."""
        self._scene_spec = scene = scene.to_draw()
        self._model = _build_model(scene)
        self._data = mujoco.MjData(self._model)
        self._scene = mujoco.MjvScene(self._model, maxgeom=self._model.ngeom + 8)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[VISUAL_GROUP] = 1
        self._free_camera = mujoco.MjvCamera()
        self._context: mujoco.MjrContext | None = _open_context(self._model)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._own_rgba = self._model.geom_rgba.copy()
        self._part_of_geom = self._number_parts()

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
        self._open_canvas(height_px, width_px)
        num_views = len(visual_states)
        pixels = np.empty((num_views, height_px, width_px, 3), dtype=np.uint8)
        depth_m = np.empty((num_views, height_px, width_px), dtype=np.float32) if depth else None
        numbers = np.empty((num_views, height_px, width_px), dtype=np.int32) if masks else None
        for i, (state, camera, look) in enumerate(zip(visual_states, cameras, looks, strict=True)):
            self._arrange(state, camera, look)
            pixels[i] = self._draw(height_px, width_px, look.light.shadow)
            if depth_m is not None:
                depth_m[i] = self._read_depth(height_px, width_px, camera)
            if numbers is not None:
                numbers[i] = self._draw_masks(height_px, width_px)
        return Rendered(pixels=pixels, depth_m=depth_m, masks=numbers)

    def _open_canvas(self, height_px: int, width_px: int) -> None:
        if self._context is None:
            raise EnvError("this renderer is closed: make the env again")
        self._gl.make_current()
        if (self._context.offHeight, self._context.offWidth) != (height_px, width_px):
            mujoco.mjr_resizeOffscreen(width_px, height_px, self._context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def _arrange(self, state: Float[np.ndarray, " X"], camera: Camera, look: Look) -> None:
        """Pose the model, dress it and put light and camera into the abstract scene."""
        pose_scene(state, self._scene_spec, self._model, self._data)
        mujoco.mj_kinematics(self._model, self._data)
        for part, surface in look.surfaces.items():
            self._wear(part, surface)
        kinds = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, self._data, self._option, None, self._free_camera, kinds, self._scene)
        _shine(self._scene, look.light)
        self._aim(camera)

    def _wear(self, part: str, surface: Surface) -> None:
        if part == "robot":
            geoms = self._part_of_geom == 1
            self._model.geom_rgba[geoms, :3] = self._own_rgba[geoms, :3] * surface.rgb
        for geom in self._wearers.get(part, ()):
            self._model.geom_rgba[geom, :3] = surface.rgb
            self._model.geom_matid[geom] = 0 if surface.texture is None else 1 + surface.texture

    def _number_parts(self) -> Int[np.ndarray, " G"]:
        """Return 1 for each geom of the robot, 2 + i for that of body i."""
        numbers = np.ones(self._model.ngeom, dtype=np.int32)
        self._wearers: dict[str, list[int]] = {}
        for index, body in enumerate(self._scene_spec.bodies):
            geom = self._model.geom(body.name).id
            self._wearers.setdefault(body.surface, []).append(geom)
            numbers[geom] = 2 + index
        return numbers

    def _aim(self, camera: Camera) -> None:
        """Set both eyes of MuJoCo's stereo camera: the picture is taken from between them."""
        to_camera = camera.view_matrix() @ self._mount(camera)
        rotation = to_camera[:3, :3]
        half_height = camera.near_m * np.tan(camera.fov_y_rad / 2)
        for eye in self._scene.camera:
            eye.pos, eye.forward, eye.up = -rotation.T @ to_camera[:3, 3], -rotation[2], rotation[1]
            eye.frustum_near, eye.frustum_far = camera.near_m, camera.far_m
            eye.frustum_bottom, eye.frustum_top = -half_height, half_height
            eye.frustum_center = eye.frustum_width = 0.0  # the width follows from that of the picture

    def _mount(self, camera: Camera) -> Float[np.ndarray, "4 4"]:
        """Return world coordinates to those of the link that carries the camera."""
        if camera.mounted_on is None:
            return np.eye(4)
        index = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_BODY, camera.mounted_on)
        if index < 0:
            raise unknown("link", camera.mounted_on, [self._model.body(i).name for i in range(1, self._model.nbody)])
        rotation = self._data.xmat[index].reshape(3, 3)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation.T, -rotation.T @ self._data.xpos[index]
        return matrix

    def _draw(self, height_px: int, width_px: int, shadow: bool) -> np.ndarray:
        flags = self._scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadow
        flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = False
        return self._take_picture(height_px, width_px)

    def _take_picture(self, height_px: int, width_px: int) -> np.ndarray:
        canvas = mujoco.MjrRect(0, 0, width_px, height_px)
        mujoco.mjr_render(canvas, self._scene, self._context)
        pixels = np.empty((height_px, width_px, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(pixels, None, canvas, self._context)
        return pixels[::-1]  # OpenGL's first row is the lowest

    def _read_depth(self, height_px: int, width_px: int, camera: Camera) -> np.ndarray:
        """Return the depth under the last picture: the buffer holds 1 at the near plane and 0 at the far one."""
        buffer = np.empty((height_px, width_px), dtype=np.float32)
        mujoco.mjr_readPixels(None, buffer, mujoco.MjrRect(0, 0, width_px, height_px), self._context)
        near, far = camera.near_m, camera.far_m
        return far * near / (near + (far - near) * buffer[::-1].astype(float))

    def _draw_masks(self, height_px: int, width_px: int) -> np.ndarray:
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = True
        picture = self._take_picture(height_px, width_px).astype(np.int32)
        drawn = picture[..., 0] + 256 * picture[..., 1] + 65536 * picture[..., 2]
        parts = np.zeros(self._scene.ngeom + 1, dtype=np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM and geom.segid >= 0:
                parts[geom.segid + 1] = self._part_of_geom[geom.objid]
        return parts[drawn]

    def close(self) -> None:
        """Free the picture memory; a second call does nothing."""
        if self._context is not None:
            self._gl.make_current()
            self._context.free()
            self._gl.free()
        self._context = None


def _open_context(model: mujoco.MjModel) -> mujoco.MjrContext:
    try:
        return mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    except mujoco.FatalError as error:
        raise NoGlError(f"this machine's OpenGL is too old for MuJoCo: {error}; use renderer='tiny'") from error


def _build_model(scene: SceneSpec) -> mujoco.MjModel:
    """Compile the scene with one material per texture, two lights, and nothing that makes pictures slow."""
    spec = build_spec(scene)
    spec.visual.quality.offsamples = 0
    spec.visual.quality.shadowsize = SHADOW_MAP_PX
    spec.visual.headlight.active = 0
    spec.visual.global_.offwidth = spec.visual.global_.offheight = 64
    for name in ("sun", "sky"):
        _add_light(spec, name)
    _add_materials(spec)
    for body in scene.bodies:
        spec.geom(body.name).material = "flat"
    return spec.compile()


def _add_light(spec: mujoco.MjSpec, name: str) -> None:
    light = spec.worldbody.add_light(name=name)
    if hasattr(light, "type"):
        light.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    else:  # before 3.3.4
        light.directional = True


def _add_materials(spec: mujoco.MjSpec) -> None:
    grey = [UNTINTED, UNTINTED, UNTINTED, 1.0]
    spec.add_material(name="flat", rgba=grey)
    for index, texture in enumerate(texture_pool()):
        height, width, _ = texture.shape
        added = spec.add_texture(name=f"texture{index}", type=mujoco.mjtTexture.mjTEXTURE_2D, nchannel=3)
        added.height, added.width, added.data = height, width, texture.tobytes()
        material = spec.add_material(name=f"texture{index}", rgba=grey)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = f"texture{index}"
    sky = spec.add_texture(name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    sky.builtin, sky.rgb1, sky.rgb2, sky.width, sky.height = mujoco.mjtBuiltin.mjBUILTIN_FLAT, [1] * 3, [1] * 3, 8, 48


def _shine(scene: mujoco.MjvScene, light: Light) -> None:
    """Set the sun, and the sky that gives the ambient part: MuJoCo's shadows take all of the light that casts them."""
    sun, sky = scene.lights[:2]
    towards = np.array(light.direction) / np.linalg.norm(light.direction)
    sun.dir, sun.pos = -towards, SHADOW_CENTRE_M + SHADOW_REACH_M * towards
    sky.dir = (0.0, 0.0, -1.0)
    none, rgb = np.zeros(3), np.array(light.rgb)
    sun.ambient, sun.diffuse, sun.specular = none, light.diffuse * rgb, light.specular * rgb
    sky.ambient, sky.diffuse, sky.specular = light.ambient * rgb, none, none
    sun.castshadow, sky.castshadow = light.shadow, False
