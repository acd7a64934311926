"""Configuration of `robossl transfer`."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from robossl.config.env import EVALUATION_SEED
from robossl.config.evaluate import EvaluateConfig
from robossl.config.schema import STRICT, Count, Positive
from robossl.config.tracking import TrackingConfig
from robossl.errors import ConfigError, closest

SHIFTS: dict[str, tuple[str, ...]] = {
    "colour": ("object_hue", "object_saturation", "object_value", "ground_colour", "robot_tint"),
    "texture": ("texture",),
    "light": ("light_direction", "light_colour", "ambient", "diffuse", "shadow"),
    "camera": ("camera_position", "camera_target", "field_of_view"),
    "distractors": ("distractors",),
    "backdrop": ("backdrop",),
    "size": ("object_size",),
    "mass": ("mass",),
    "friction": ("friction",),
    "motor": ("motor_gain", "motor_damping"),
    "delay": ("action_delay", "observation_delay"),
    "noise": ("image_noise",),
    "blur": ("blur",),
    "jpeg": ("jpeg_quality",),
    "engine": (),
}
"""Single shifts, and the axes of randomization that each of them moves together; `engine` moves none, it is MuJoCo."""


def check_shifts(names: Iterable[str]) -> None:
    """Refuse a shift that is not known.

    Raises:
        ConfigError: as the name says.
    """
    for name in names:
        if name not in SHIFTS:
            raise ConfigError(f"unknown shift {name!r}: use {', '.join(SHIFTS)}{closest(name, SHIFTS)}")


def in_shift(how: EvaluateConfig, shift: str) -> EvaluateConfig:
    """Return a measurement in the plain world with this alone changed, as far off as preset `shifted` goes."""
    if shift == "engine":
        return replace(how, domains=("nominal",), engine="mujoco")
    return replace(how, domains=("nominal",), randomization="shifted", axes=dict.fromkeys(SHIFTS[shift], True))


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """Measure what policies keep of their success in worlds that they were not trained in."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/transfer")
    """Run directory; each policy in each world has a folder in it."""
    policies: dict[str, str] = field(default_factory=dict)
    """Name to the directory of a policy, or to expert (ceiling) or random (floor). The first one is compared with the
    others in pairs."""
    env_id: str = ""
    """Env; empty: the one that the policies' demonstrations came from, which must be the same for all; expert and
    random act in that of the others."""
    source: str = "randomized"
    """Domain that the policies were trained in: what they keep is a part of their success there."""
    targets: tuple[str, ...] = ("nominal", "heldout")
    """Domains that they are moved to; those of the default that the env does not have are left out."""
    shifts: tuple[str, ...] = tuple(SHIFTS)
    """Single shifts, each alone in `nominal` and as far off as preset `shifted` goes: out of colour, texture, light,
    camera, distractors, backdrop, size, mass, friction, motor, delay, noise, blur, jpeg, engine. Of the default those
    that the env does not have are left out, which for control tasks are all of scene, physics and engine."""
    num_episodes: Positive = 34
    """Episodes in each world, on the same seeds everywhere."""
    seed: Count = EVALUATION_SEED
    """Seed of the first episode; must be none that a policy was trained on."""
    renderer: str = "auto"
    """Of all worlds but the held-out ones: gl, tiny, or auto: as in a policy's demonstrations."""
    num_videos: Count = 2
    """Episodes shown in the video of successes and in that of failures; 0: no video."""
    num_kept: Count = 0
    """Episodes of each policy in each world kept one by one: the first ones, laid side by side on the page, and as many
    failed ones; 0: none."""
    num_workers: Count = 0
    """Processes; 0: one for each CPU core."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""

    @property
    def worlds(self) -> tuple[str, ...]:
        """Return source, targets and shifts by name."""
        return (self.source, *self.targets, *(f"shift: {name}" for name in self.shifts))

    def reference(self, world: str) -> str:
        """Return the world that success in another is compared with: for a shift, the one without it if it is there."""
        return "nominal" if world.startswith("shift: ") and "nominal" in self.worlds else self.source

    def evaluation(self, name: str, world: str) -> EvaluateConfig:
        """Return how a policy is measured in a world."""
        shift = world.removeprefix("shift: ")
        how = EvaluateConfig(
            output=self.output / f"{name}-{world.replace(': ', '-')}",
            policy=self.policies[name],
            env_id=self.env_id,
            domains=(world,),
            num_episodes=self.num_episodes,
            seed=self.seed,
            renderer=self.renderer,
            num_videos=self.num_videos,
            num_kept=self.num_kept,
            num_workers=self.num_workers,
            tracking=self.tracking,
        )
        return how if world == shift else in_shift(how, shift)
