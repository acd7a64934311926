"""Configuration of `robossl report`."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.schema import STRICT
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Write one self-contained HTML page about runs."""

    __pydantic_config__ = STRICT

    runs: tuple[Path, ...]
    """Run directories, in the order in which they shall appear."""
    output: Path = Path("runs/report")
    """Run directory; the page is its file `report.html`."""
    title: str = "robossl report"
    """Heading of the page."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
