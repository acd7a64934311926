"""What an env can be made with, and the check of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from robossl_envs.errors import EnvError, unknown
from robossl_envs.observations import ObsFormat

MAX_IMAGE_SIZE_PX = 2048
RewardType = Literal["dense", "sparse"]
Wording = Literal["first", "any"]
ImageSize = int | tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Keywords:
    """What arm envs and control envs have in common."""

    cameras: tuple[str, ...]
    height_px: int
    width_px: int
    obs_format: ObsFormat
    reward_type: RewardType
    max_episode_steps: int | None
    render_mode: str | None
    goal_image: bool
    wording: Wording

    @property
    def has_pictures(self) -> bool:
        """Whether observations show pictures."""
        return self.obs_format in ("nested", "flat")


def check_keywords(
    *,
    known_cameras: Collection[str],
    cameras: Sequence[str],
    image_size: ImageSize,
    obs_format: ObsFormat,
    reward_type: RewardType,
    max_episode_steps: int | None,
    render_mode: str | None,
    goal_image: bool,
    wording: Wording,
) -> Keywords:
    """Return the keywords of an env, or raise `EnvError` for a value that is not allowed."""
    check_choice("obs_format", obs_format, get_args(ObsFormat))
    check_choice("reward_type", reward_type, get_args(RewardType))
    check_choice("render_mode", render_mode, (None, "rgb_array"))
    check_choice("wording", wording, get_args(Wording))
    for camera in cameras:
        check_choice("camera", camera, known_cameras)
    height_px, width_px = check_image_size(image_size)
    return Keywords(
        cameras=tuple(cameras),
        height_px=height_px,
        width_px=width_px,
        obs_format=obs_format,
        reward_type=reward_type,
        max_episode_steps=max_episode_steps,
        render_mode=render_mode,
        goal_image=goal_image,
        wording=wording,
    )


def check_choice(kind: str, value: Any, allowed: Collection[Any]) -> None:
    """Raise `EnvError` for a value that is not among those that are allowed."""
    if value not in allowed:
        raise unknown(kind, value, (str(name) for name in allowed))


def check_image_size(image_size: ImageSize) -> tuple[int, int]:
    """Return height and width [px], or raise `EnvError`."""
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not (1 <= height <= MAX_IMAGE_SIZE_PX and 1 <= width <= MAX_IMAGE_SIZE_PX):
        raise EnvError(f"image_size is 1 to {MAX_IMAGE_SIZE_PX} px a side, not {image_size}")
    return height, width
