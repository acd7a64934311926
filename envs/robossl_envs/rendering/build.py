"""Which renderer draws which domain."""

import logging
from typing import Literal

from robossl_envs.domains import HELDOUT, Domain
from robossl_envs.rendering.renderer import Renderer
from robossl_envs.simulation.scene import SceneSpec

logger = logging.getLogger(__name__)
RendererName = Literal["auto", "tiny", "gl", "mujoco"]


def build_renderer(name: RendererName, *, domain: Domain, scene: SceneSpec) -> Renderer:
    """Return the renderer; `auto` depends on the domain and on the machine, and says in one line what is missing."""
    if name == "mujoco" or (name == "auto" and domain in HELDOUT):
        from robossl_envs.rendering.gl_context import NoGlError
        from robossl_envs.rendering.mujoco import MujocoRenderer

        try:
            return MujocoRenderer(scene)
        except NoGlError as error:
            if name == "mujoco":
                raise
            logger.warning("%s; drawing `%s` with TinyRenderer: don't compare with other results", error, domain)
            name = "tiny"
    match name:
        case "gl":
            from robossl_envs.rendering.gl import GlRenderer

            return GlRenderer(scene)
        case "auto":
            from robossl_envs.rendering.auto import AutoRenderer

            return AutoRenderer(scene)
    from robossl_envs.rendering.tiny import TinyRenderer

    return TinyRenderer(scene)
