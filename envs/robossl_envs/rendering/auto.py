"""The batched renderer where it starts, TinyRenderer where it does not."""

import logging
from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float

from robossl_envs.errors import EnvError
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.gl import GlRenderer
from robossl_envs.rendering.gl_context import NoGlError
from robossl_envs.rendering.gl_device import shared_context
from robossl_envs.rendering.look import Look
from robossl_envs.rendering.renderer import Rendered, Renderer
from robossl_envs.rendering.tiny import TinyRenderer
from robossl_envs.simulation.scene import SceneSpec

logger = logging.getLogger(__name__)


class AutoRenderer:
    """Chooses with the first picture, since OpenGL says only then whether it works, and does not survive a fork."""

    def __init__(self, scene: SceneSpec) -> None:
        self._scene = scene
        self._chosen: Renderer | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """`gl` or `tiny`."""
        return self._choose().name

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
        return self._choose().render(
            visual_states, cameras, looks, height_px=height_px, width_px=width_px, depth=depth, masks=masks
        )

    def close(self) -> None:
        """Free what it holds; a second call does nothing."""
        self._closed = True
        if self._chosen is not None:
            self._chosen.close()

    def _choose(self) -> Renderer:
        if self._chosen is None:
            if self._closed:
                raise EnvError("this renderer is closed: make the env again")
            try:
                shared_context()
                self._chosen = GlRenderer(self._scene)
            except NoGlError as error:
                _say(f"drawing with TinyRenderer, one picture at a time: {error}")
                self._chosen = TinyRenderer(self._scene)
        return self._chosen


@cache
def _say(text: str) -> None:
    """Warn once a process."""
    logger.warning(text)
