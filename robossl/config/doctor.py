"""What `robossl doctor` can be told."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.schema import STRICT, Positive
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class DoctorConfig:
    """Say what is wrong with a video, a folder of videos or a data set; every frame is decoded."""

    __pydantic_config__ = STRICT

    path: Path
    """A LeRobotDataset directory (v2.x or v3), a folder of videos (searched recursively), or one video."""
    output: Path = Path("runs/doctor")
    """Run directory; the page with pictures is its file `report.html`."""
    max_thumbnails: Positive = 60
    """Pictures on the page at most; those with findings come first."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
