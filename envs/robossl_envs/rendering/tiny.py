"""PyBullet's CPU renderer (TinyRenderer): needs no GL library and no GPU."""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from robossl_envs.errors import EnvError
from robossl_envs.quiet_pybullet import pybullet as p
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Look, Surface
from robossl_envs.rendering.renderer import Rendered
from robossl_envs.rendering.textures import texture_pool
from robossl_envs.simulation.bullet_scene import load_scene, pose_scene
from robossl_envs.simulation.scene import SceneSpec

LIGHT_DISTANCE_M = 2.0


class TinyRenderer:
    """Draws in a Bullet client of its own, which holds the scene only to be looked at."""

    name = "tiny"

    def __init__(self, scene: SceneSpec) -> None:
        self._client: int | None = p.connect(p.DIRECT)
        self._scene = scene = scene.to_draw()
        self._loaded = load_scene(scene, self._client, collisions=False)
        self._wearers: dict[str, list[int]] = {}
        for body in scene.bodies:
            self._wearers.setdefault(body.surface, []).append(self._loaded.bodies[body.name])
        self._textures = _load_textures(self._client)
        self._robot_parts = self._parts_of_robot()
        self._surfaces: dict[str, Surface] = {}

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
        if self._client is None:
            raise EnvError("this renderer is closed: make the env again")
        size = height_px, width_px
        views = [
            self._draw(state, camera, look, size)
            for state, camera, look in zip(visual_states, cameras, looks, strict=True)
        ]
        # what is not asked for is not computed: for one small picture it took as long as what stands around the drawing
        return Rendered(
            pixels=np.stack([np.reshape(rgba, (*size, 4)).astype(np.uint8)[..., :3] for rgba, _, _ in views]),
            depth_m=np.stack(
                [_metres(np.reshape(view[1], size), camera) for view, camera in zip(views, cameras, strict=True)]
            )
            if depth
            else None,
            masks=np.stack([self._masks(np.reshape(numbers, size)) for _, _, numbers in views]) if masks else None,
        )

    def _draw(
        self, state: Float[np.ndarray, " X"], camera: Camera, look: Look, size: tuple[int, int]
    ) -> tuple[Any, Any, Any]:
        """Return Bullet's colours (rgba), depths and numbers of bodies."""
        client, (height_px, width_px) = self.client, size
        pose_scene(state, self._scene, self._loaded, client)
        self._wear(look)
        light = look.light
        _, _, rgba, depths, numbers = p.getCameraImage(
            width_px,
            height_px,
            viewMatrix=(camera.view_matrix() @ self._mount(camera)).T.ravel().tolist(),
            projectionMatrix=camera.projection_matrix(aspect=width_px / height_px).T.ravel().tolist(),
            lightDirection=light.direction,
            lightColor=light.rgb,
            lightDistance=LIGHT_DISTANCE_M,
            lightAmbientCoeff=light.ambient,
            lightDiffuseCoeff=light.diffuse,
            lightSpecularCoeff=light.specular,
            shadow=int(light.shadow),
            renderer=p.ER_TINY_RENDERER,
            physicsClientId=client,
        )
        return rgba, depths, numbers

    @property
    def client(self) -> int:
        """Bullet's number of this renderer's world."""
        if self._client is None:
            raise EnvError("this renderer is closed: make the env again")
        return self._client

    def _mount(self, camera: Camera) -> Float[np.ndarray, "4 4"]:
        """Return world coordinates to those of the link that carries the camera."""
        if camera.mounted_on is None:
            return np.eye(4)
        link = self._loaded.links[camera.mounted_on]
        state = p.getLinkState(self._loaded.robot, link, computeForwardKinematics=True, physicsClientId=self.client)
        rotation = np.reshape(p.getMatrixFromQuaternion(state[5]), (3, 3))
        matrix = np.eye(4)
        matrix[:3, :3] = rotation.T
        matrix[:3, 3] = -rotation.T @ np.array(state[4])
        return matrix

    def _masks(self, numbers: np.ndarray) -> np.ndarray:
        """Turn Bullet's numbers into 0 nothing, 1 robot, 2 + i body i."""
        masks = np.zeros(numbers.shape, dtype=np.int32)
        masks[numbers == self._loaded.robot] = 1
        for index, number in enumerate(self._loaded.bodies.values()):
            masks[numbers == number] = 2 + index
        return masks

    def _parts_of_robot(self) -> list[tuple[int, int, tuple[float, float, float]]]:
        """Return link, shape and own colour of each visual of the robot."""
        parts, count = [], dict[int, int]()
        for row in p.getVisualShapeData(self._loaded.robot, physicsClientId=self.client):
            link, shape = row[1], count.get(row[1], 0)
            count[link] = shape + 1
            parts.append((link, shape, row[7][:3]))
        return parts

    def _wear(self, look: Look) -> None:
        """Change the surfaces that differ from the last picture's, since each change costs Bullet up to 0.2 ms."""
        for part, surface in look.surfaces.items():
            if self._surfaces.get(part) == surface:
                continue
            if part == "robot":
                self._tint_robot(surface)
            texture = -1 if surface.texture is None else self._textures[surface.texture]
            for body in self._wearers.get(part, ()):
                p.changeVisualShape(
                    body,
                    -1,
                    rgbaColor=(*surface.rgb, 1.0),
                    textureUniqueId=texture,
                    physicsClientId=self.client,
                )
            self._surfaces[part] = surface

    def _tint_robot(self, surface: Surface) -> None:
        for link, shape, own in self._robot_parts:
            rgb = np.clip(np.array(own) * surface.rgb, 0.0, 1.0)
            p.changeVisualShape(
                self._loaded.robot, link, shapeIndex=shape, rgbaColor=(*rgb, 1.0), physicsClientId=self.client
            )

    def close(self) -> None:
        """Free the client; a second call does nothing."""
        if self._client is not None:
            with contextlib.suppress(p.error):
                p.disconnect(physicsClientId=self._client)
        self._client = None


def _metres(buffer: np.ndarray, camera: Camera) -> np.ndarray:
    """Return metres: the buffer holds 0 at the near plane and 1 at the far one."""
    near, far = camera.near_m, camera.far_m
    return (far * near / (far - (far - near) * buffer)).astype(np.float32)


def _load_textures(client: int) -> list[int]:
    """Load the pool once: Bullet leaks every texture that it loads, and reads them only from files."""
    numbers = []
    with tempfile.TemporaryDirectory() as folder:
        for index, texture in enumerate(texture_pool()):
            path = Path(folder) / f"{index}.png"
            Image.fromarray(texture).save(path)
            numbers.append(p.loadTexture(str(path), physicsClientId=client))
    return numbers
