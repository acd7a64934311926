"""Configuration of `robossl sweep`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from robossl.config.schema import STRICT, Count
from robossl.config.tracking import TrackingConfig

Value = bool | int | float | str


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """Pretrain an encoder with each combination of a few settings, and rank them by what a probe reads out."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/sweep")
    """Folder of all the runs; each is gone on with where it was stopped."""
    base: str = "configs/pretrain/push.yaml"
    """Configuration of `robossl pretrain` that the settings are laid over."""
    settings: dict[str, Value] = field(default_factory=dict)
    """What all runs have beside the base, for example num_steps or objectives.0.params.temperature."""
    grid: dict[str, Annotated[tuple[Value, ...], Field(min_length=1)]] = field(default_factory=dict)
    """Name of a setting to its values; every combination is run."""
    seeds: Annotated[tuple[Count, ...], Field(min_length=1)] = (0, 1)
    """Training seeds of each combination."""
    key: str = "observation.environment_state"
    """What the probe reads out of held-out episodes of the first source."""
    wandb_sweep: bool = False
    """Write the grid as a sweep of Weights & Biases (wandb_sweep.yaml) instead of running it here."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
