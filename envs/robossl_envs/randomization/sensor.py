"""What a camera and its cable do to the pictures that an observation shows; stored states and `render` stay clean."""

import io

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from robossl_envs.randomization.draw import Draw
from robossl_envs.streams import stream

Picture = UInt8[np.ndarray, "H W C"]
GOAL_STEP = -1
"""Of the goal picture, which was taken before the episode."""


class Sensor:
    """The cameras of one episode. A picture depends on the episode's seed, its step and its camera alone."""

    def __init__(self, draw: Draw, episode_seed: int) -> None:
        self._seed = episode_seed
        self._gains = draw.number("exposure", 1.0) * np.ones(3)
        if white_balance := draw.numbers("white_balance"):
            red, blue = white_balance
            self._gains *= (red, 1.0, blue)
        self._blur = draw.number("blur", 0.0)
        self._noise = draw.number("image_noise", 0.0)
        self._quality = draw.number("jpeg_quality", 0.0)
        self._delay = round(draw.number("observation_delay", 0.0))
        self._lost = {round(step) for step in draw.numbers("lost_frames.steps")}
        self._taken: dict[str, list[Picture]] = {}

    def deliver(self, camera: str, step: int, picture: Picture) -> Picture:
        """Take a picture, and return the one that arrives now: an older one with delay, or the last where one is lost.

        To be called once for each camera and control step, in order.
        """
        if not (self._delay or self._lost):
            return self.distort(camera, step, picture)
        taken = self._taken.setdefault(camera, [])
        is_lost = step in self._lost and len(taken) > 0
        picture = taken[-1] if is_lost else self.distort(camera, step, picture)
        taken.append(picture)
        del taken[: -self._delay - 1]
        return taken[0].copy()

    def distort(self, camera: str, step: int, picture: Picture) -> Picture:
        """Return what the camera makes of a picture: exposure, white balance, blur, noise, compression."""
        if (self._gains == 1.0).all() and not (self._blur or self._noise or self._quality):
            return picture
        light = picture * self._gains
        if self._blur:
            light = _blurred(light, self._blur * len(picture))
        if self._noise:
            generator = stream(self._seed, f"image_noise.{camera}.{step}")
            light += self._noise * generator.standard_normal(light.shape)
        seen = np.clip(np.round(light), 0, 255).astype(np.uint8)
        return _compressed(seen, round(self._quality)) if self._quality else seen


def _blurred(picture: Float[np.ndarray, "H W C"], sigma_px: float) -> Float[np.ndarray, "H W C"]:
    """Return the picture after a Gaussian blur, its edges repeated."""
    reach = max(1, round(3 * sigma_px))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma_px, 1e-6)) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        pad = [(reach, reach) if axis == other else (0, 0) for other in range(3)]
        wide, length = np.pad(picture, pad, mode="edge"), picture.shape[axis]
        shifts = [wide.take(range(start, start + length), axis) for start in range(2 * reach + 1)]
        picture = np.einsum("k,khwc->hwc", weights, np.stack(shifts))
    return picture


def _compressed(picture: Picture, quality: int) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=quality)
    return np.array(Image.open(file))
