"""What an env can show: the present instant, and every stored one again under another look."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int32, UInt8

from robossl_envs.pictures import Pictures, Shown
from robossl_envs.randomization import Randomization
from robossl_envs.rendering.look import Look
from robossl_envs.rendering.renderer import Rendered


class Drawn(ABC):
    """The part of an env that draws."""

    _pictures: Pictures
    _randomization: Randomization
    render_mode: str | None

    @abstractmethod
    def _visual_state(self) -> Float[np.ndarray, " X"]:
        """Return what a renderer needs to draw the present instant."""

    def render(self) -> UInt8[np.ndarray, "H W C"] | None:
        """Return the picture of the first camera."""
        return None if self.render_mode is None else self._pictures.present(self._visual_state())

    def render_states(
        self,
        visual_states: Float[np.ndarray, "V X"] | Sequence[Float[np.ndarray, " X"]],
        looks: Sequence[Look],
        *,
        camera: str = "front",
    ) -> UInt8[np.ndarray, "V H W C"]:
        """Draw stored instants again through one camera, each under its own look (or all under the only one given)."""
        return self._pictures.again(visual_states, looks, camera)

    def render_views(self, *, depth: bool = False, masks: bool = False) -> dict[str, Rendered]:
        """Draw the present instant through every camera, with depth [m] and masks on request."""
        return self._pictures.views(self._visual_state(), depth=depth, masks=masks)

    @property
    def mask_names(self) -> tuple[str, ...]:
        """What each number of a mask stands for: nothing, the robot, then every body that is loaded."""
        return self._pictures.mask_names

    def masks_of_states(
        self, visual_states: Float[np.ndarray, "V X"], *, camera: str = "front"
    ) -> Int32[np.ndarray, "V H W"]:
        """Tell what each pixel of stored instants shows, by the numbers of `mask_names`, as a camera of the present
        episode sees them: after `reset(options={"record": ...})` in the pictures that were recorded.
        """
        return self._pictures.masks(np.asarray(visual_states), camera)

    @property
    def pictures_later(self) -> bool:
        """While this is true observations hold black pictures, and `instants` what it takes to draw the right ones."""
        return self._pictures.later

    @pictures_later.setter
    def pictures_later(self, later: bool) -> None:
        self._pictures.later = later

    def instants(self) -> tuple[Float[np.ndarray, "L1 X"], Shown]:
        """Return the states of the episode so far and how they are seen, for `draw_instants`: in one call it draws
        what the observations would have shown. Kept while `pictures_later` is true.
        """
        return self._pictures.instants()

    def draw_instants(
        self, states: Float[np.ndarray, "L1 X"], shown: Shown, *, camera: str
    ) -> UInt8[np.ndarray, "L1 H W C"]:
        """Draw what the observations of an episode would have shown of one camera; once for each camera."""
        drawn = self.render_states(states, [shown.look], camera=camera)
        return np.stack([shown.sensor.deliver(camera, step, picture) for step, picture in enumerate(drawn)])

    def sample_looks(self, num_looks: int, *, seed: int) -> list[Look]:
        """Draw looks from the domain's randomization, for `render_states`."""
        return [self._worn(self._randomization.look(seed, name=f"look{index}")) for index in range(num_looks)]

    def _worn(self, look: Look) -> Look:
        """Return a look as this task wears it."""
        return look

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Every axis of randomization that can be asked for."""
        return tuple(self._randomization.axes)

    def growing_axes(self) -> dict[str, tuple[float, float, float]]:
        """Return nominal, least and largest value of each axis that automatic randomization can widen."""
        return self._randomization.growing()
