"""The pictures of an env: cameras, size and renderer in one place, the renderer made when the first is drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from robossl_envs.domains import Domain
from robossl_envs.rendering.build import build_renderer
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Look
from robossl_envs.rendering.renderer import Rendered, Renderer
from robossl_envs.simulation.scene import SceneSpec


class Views:
    """Draws visual states of one scene.

    Args:
        scene: What is drawn.
        domain: As `build_renderer` takes it.
        cameras: Nominal cameras by name; a look may move them.
        height_px: Of every picture.
        width_px: Of every picture.
    """

    def __init__(
        self,
        scene: SceneSpec,
        *,
        domain: Domain,
        cameras: Mapping[str, Camera],
        height_px: int,
        width_px: int,
    ) -> None:
        self._scene, self._domain = scene, domain
        self._cameras = dict(cameras)
        self._height_px, self._width_px = height_px, width_px
        self._renderer: Renderer | None = None

    def draw(
        self,
        visual_states: Float[np.ndarray, "V X"],
        looks: Sequence[Look],
        cameras: Sequence[str],
        *,
        depth: bool = False,
        masks: bool = False,
    ) -> Rendered:
        """Draw V views; view i shows state i through camera i under look i."""
        if self._renderer is None:
            # the batched renderer draws arms: their URDFs have a mesh and a colour for every visual
            self._renderer = build_renderer("tiny", domain=self._domain, scene=self._scene)
        placed = [look.cameras.get(name, self._cameras[name]) for look, name in zip(looks, cameras, strict=True)]
        return self._renderer.render(
            visual_states, placed, looks, height_px=self._height_px, width_px=self._width_px, depth=depth, masks=masks
        )

    def draw_instant(
        self, visual_state: Float[np.ndarray, " X"], look: Look, cameras: Sequence[str]
    ) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        """Draw one state through several cameras."""
        states = np.repeat(visual_state[None], len(cameras), axis=0)
        return dict(zip(cameras, self.draw(states, [look] * len(cameras), cameras).pixels, strict=True))

    @property
    def renderer_name(self) -> str:
        """Name of the renderer that drew, `none` before the first picture."""
        return "none" if self._renderer is None else self._renderer.name

    def close(self) -> None:
        """Free the renderer; a second call does nothing."""
        if self._renderer is not None:
            self._renderer.close()
