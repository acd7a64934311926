"""Which renderer draws which domain."""

import logging
from typing import Literal

from robossl_envs.domains import HELDOUT, Domain
from robossl_envs.rendering.renderer import Renderer
from robossl_envs.simulation.scene import SceneSpec

logger = logging.getLogger(__name__)
RendererName = Literal["auto", "tiny", "gl", "mujoco"]


def build_renderer(name: RendererName, *, domain: Domain, scene: SceneSpec) -> Renderer:
    """Return the renderer; `auto` falls back to TinyRenderer where MuJoCo finds no GL library, and says so."""
    if name == "mujoco" or (name == "auto" and domain in HELDOUT):
        from robossl_envs.rendering.gl_context import NoGlError
        from robossl_envs.rendering.mujoco import MujocoRenderer

        try:
            return MujocoRenderer(scene)
        except NoGlError as error:
            if name == "mujoco":
                raise
            logger.warning("%s; drawing `%s` with TinyRenderer: don't compare with other results", error, domain)
    if name == "gl":
        from robossl_envs.rendering.gl import GlRenderer

        return GlRenderer(scene)
    from robossl_envs.rendering.tiny import TinyRenderer

    return TinyRenderer(scene)
