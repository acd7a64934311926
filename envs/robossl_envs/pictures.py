"""What the cameras of an env deliver: drawn by its renderer, then passed through the sensor of the episode."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int32, UInt8

from robossl_envs.domains import Domain
from robossl_envs.errors import EnvError, unknown
from robossl_envs.keywords import Keywords
from robossl_envs.randomization.sensor import GOAL_STEP, Sensor
from robossl_envs.rendering.build import RendererName, build_renderer
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Look
from robossl_envs.rendering.renderer import Rendered, Renderer
from robossl_envs.simulation.scene import SceneSpec


class Shown(NamedTuple):
    """How an episode is seen; it can be sent to another process."""

    look: Look
    sensor: Sensor


class Pictures:
    """Draws visual states of one scene.

    Args:
        scene: What is drawn.
        domain: As `build_renderer` takes it.
        renderer: As `build_renderer` takes it.
        cameras: Nominal cameras by name; a look may move them.
        keywords: Name the cameras that observations show, and the size of every picture.
    """

    def __init__(
        self,
        scene: SceneSpec,
        domain: Domain,
        renderer: RendererName,
        *,
        cameras: Mapping[str, Camera],
        keywords: Keywords,
    ) -> None:
        self._scene, self._domain, self._renderer_name = scene, domain, renderer
        self._cameras, self._taken = dict(cameras), keywords.cameras
        self._height_px, self._width_px = keywords.height_px, keywords.width_px
        self._renderer: Renderer | None = None
        self._instants: list[Float[np.ndarray, " X"]] = []
        self.later = False
        """While this is true `take` returns black pictures, and `instants` what it takes to draw the right ones."""

    def prepare(self) -> Renderer:
        """Return the renderer, made when it is first needed."""
        if self._renderer is None:
            self._renderer = build_renderer(self._renderer_name, domain=self._domain, scene=self._scene)
        return self._renderer

    @property
    def renderer_name(self) -> str:
        """Name of the renderer, `none` before it is there."""
        return "none" if self._renderer is None else self._renderer.name

    def begin(self, look: Look, sensor: Sensor) -> None:
        """Start an episode."""
        self._shown, self._instants = Shown(look, sensor), []

    def take(self, state: Float[np.ndarray, " X"], step: int) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        """Return what each camera delivers at a step of the episode."""
        if self.later:
            self._instants.append(state)
            return {name: np.zeros((self._height_px, self._width_px, 3), np.uint8) for name in self._taken}
        states = np.repeat(state[None], len(self._taken), axis=0)
        drawn = self.draw(states, [self._shown.look] * len(self._taken), self._taken).pixels
        sensor = self._shown.sensor
        return {name: sensor.deliver(name, step, image) for name, image in zip(self._taken, drawn, strict=True)}

    def instants(self) -> tuple[Float[np.ndarray, "L1 X"], Shown]:
        """Return what `take` was asked for since `begin` while `later` was true."""
        if not self._instants:
            raise EnvError("no instant was kept: set pictures_later to True before reset()")
        return np.stack(self._instants), self._shown

    def goal(self, state: Float[np.ndarray, " X"]) -> UInt8[np.ndarray, "H W C"]:
        """Return what the first camera would deliver of a state at no step of the episode."""
        return self._shown.sensor.distort(self._taken[0], GOAL_STEP, self.present(state))

    def present(self, state: Float[np.ndarray, " X"]) -> UInt8[np.ndarray, "H W C"]:
        """Return a state as the first camera sees it in this episode, past the sensor."""
        return self.draw(state[None], [self._shown.look], self._taken[:1]).pixels[0]

    def views(self, state: Float[np.ndarray, " X"], *, depth: bool, masks: bool) -> dict[str, Rendered]:
        """Draw a state through every camera that observations show, with depth [m] and masks on request."""
        look = [self._shown.look]
        return {name: self.draw(state[None], look, [name], depth=depth, masks=masks) for name in self._taken}

    def again(
        self,
        states: Float[np.ndarray, "V X"] | Sequence[Float[np.ndarray, " X"]],
        looks: Sequence[Look],
        camera: str,
    ) -> UInt8[np.ndarray, "V H W C"]:
        """Draw states through one camera, each under its own look (or all under the only one given)."""
        looks = list(looks) * (len(states) if len(looks) == 1 else 1)
        if camera not in self._cameras:
            raise unknown("camera", camera, self._cameras)
        return self.draw(np.asarray(states), looks, [camera] * len(looks)).pixels

    @property
    def mask_names(self) -> tuple[str, ...]:
        """What each number of a mask stands for."""
        return ("nothing", "robot", *(body.name for body in self._scene.drawn))

    def masks(self, states: Float[np.ndarray, "V X"], camera: str) -> Int32[np.ndarray, "V H W"]:
        """Tell what each pixel of some states shows, as a camera sees them in this episode."""
        if camera not in self._cameras:
            raise unknown("camera", camera, self._cameras)
        drawn = self.draw(states, [self._shown.look] * len(states), [camera] * len(states), masks=True)
        assert drawn.masks is not None  # asked for
        return drawn.masks

    def draw(
        self,
        states: Float[np.ndarray, "V X"],
        looks: Sequence[Look],
        cameras: Sequence[str],
        *,
        depth: bool = False,
        masks: bool = False,
    ) -> Rendered:
        """Draw V views; view i shows state i through camera i under look i."""
        placed = [look.cameras.get(name, self._cameras[name]) for look, name in zip(looks, cameras, strict=True)]
        return self.prepare().render(
            states, placed, looks, height_px=self._height_px, width_px=self._width_px, depth=depth, masks=masks
        )

    def close(self) -> None:
        """Free the renderer; a second call does nothing."""
        if self._renderer is not None:
            self._renderer.close()
