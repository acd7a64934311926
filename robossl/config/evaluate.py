"""Configuration of `robossl evaluate`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from robossl.config.env import EVALUATION_SEED, Axis
from robossl.config.schema import STRICT, Count, Positive
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Measure the success of a policy in each domain."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/evaluate")
    """Run directory."""
    policy: str = "runs/finetune/policy"
    """Directory of a policy, or expert (ceiling), random (floor), or play (wandering)."""
    env_id: str = ""
    """Env; empty: the one that the policy's demonstrations came from."""
    domains: tuple[str, ...] = ("randomized", "nominal", "heldout")
    """Domains, each with the same episode seeds: out of nominal, randomized, shifted, heldout, heldout_hard."""
    randomization: str = ""
    """Preset of what `randomized` draws: light, medium, full or shifted; empty: medium, the domain's own. Held-out
    domains stay as they are."""
    axes: dict[str, Axis] = field(default_factory=dict)
    """Single axes of it, or whole groups (look, scene, sensor, physics, timing): true, false or [low, high]."""
    num_episodes: Positive = 50
    """Episodes in each domain."""
    seed: Count = EVALUATION_SEED
    """Seed of the first episode; must be none that the policy was trained on."""
    image_size: Count = 0
    """Height and width of the frames [px]; 0: as in the policy's demonstrations."""
    renderer: str = "auto"
    """Of all domains but the held-out ones: gl, tiny, or auto: as in the policy's demonstrations."""
    engine: Literal["auto", "bullet", "mujoco"] = "auto"
    """Of all domains but the held-out ones, which are MuJoCo's: auto is PyBullet; mujoco changes the physics alone."""
    num_videos: Count = 8
    """Episodes shown in the video of successes and in that of failures; 0: no video."""
    num_kept: Count = 0
    """Episodes of each domain kept one by one for the report: the first ones as videos, to be laid side by side with
    the same of other policies and domains, and as many failed ones as pictures; 0: none."""
    num_workers: Count = 0
    """Processes; 0: one for each CPU core."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
