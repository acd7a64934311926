"""What `robossl doctor` can be told."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.schema import STRICT, Pixels, Positive
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class DoctorConfig:
    """Say what is wrong with a video, a folder of videos or a data set; every frame is decoded."""

    __pydantic_config__ = STRICT

    path: Path
    """A LeRobotDataset directory (v2.x or v3), a folder of videos (searched recursively), or one video."""
    output: Path = Path("runs/doctor")
    """Run directory; the page with pictures is its file `report.html`."""
    speed: bool = False
    """Measure instead how fast frames can be read, each way, and what this machine could do at most."""
    image_size: tuple[Pixels, Pixels] = (96, 96)
    """With `speed`: height and width of training frames [px]."""
    max_thumbnails: Positive = 60
    """Pictures on the page at most; those with findings come first."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
