"""What an arm env can be made with, and the check of it."""

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

from robossl_envs.errors import EnvError, unknown
from robossl_envs.observations import ObsFormat
from robossl_envs.rendering.build import RendererName

MAX_IMAGE_SIZE_PX = 2048
RewardType = Literal["dense", "sparse"]
Wording = Literal["first", "any"]
_ALLOWED: dict[str, tuple[Any, ...]] = {
    "obs_format": get_args(ObsFormat),
    "reward_type": get_args(RewardType),
    "renderer": get_args(RendererName),
    "render_mode": (None, "rgb_array"),
    "wording": get_args(Wording),
}


def check_keywords(*, cameras: Sequence[str], known_cameras: Collection[str], **values: object) -> None:
    """Raise `EnvError` for a value that is not allowed."""
    for kind, value in values.items():
        if value not in _ALLOWED[kind]:
            raise unknown(kind, value, (str(name) for name in _ALLOWED[kind]))
    for camera in cameras:
        if camera not in known_cameras:
            raise unknown("camera", camera, known_cameras)


def check_image_size(image_size: int | tuple[int, int]) -> tuple[int, int]:
    """Return height and width [px], or raise `EnvError`."""
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not (1 <= height <= MAX_IMAGE_SIZE_PX and 1 <= width <= MAX_IMAGE_SIZE_PX):
        raise EnvError(f"image_size is 1 to {MAX_IMAGE_SIZE_PX} px a side, not {image_size}")
    return height, width
