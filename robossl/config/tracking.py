"""Where a run's metrics go besides its own `metrics.jsonl`."""

from dataclasses import dataclass
from typing import Literal

from robossl.config.schema import STRICT


@dataclass(frozen=True, kw_only=True)
class TrackingConfig:
    """Weights & Biases, fed from the run's own record."""

    __pydantic_config__ = STRICT

    wandb: Literal["disabled", "offline", "online"] = "disabled"
    """disabled; offline: recorded below the run directory, no account and no network; online: sent as well."""
    project: str = "robossl"
    """W&B project."""
