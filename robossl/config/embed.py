"""Configuration of `robossl embed`."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.schema import STRICT, Positive
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class EmbedConfig:
    """Write an encoder's features of every frame of footage or episodes to a parquet file."""

    __pydantic_config__ = STRICT

    encoder: Path
    """The encoder/ directory of a pretraining run, or a file with a ResNet's weights."""
    path: Path
    """A data set, a folder of videos (searched recursively) or one video."""
    output: Path = Path("runs/embed")
    """Run directory; the features are its file `features.parquet`."""
    camera: str = ""
    """Camera whose frames are encoded; by default the first one."""
    frame_stride: Positive = 1
    """Every so many frames one is encoded."""
    batch_size: Positive = 64
    """Frames that are decoded and encoded at a time; this bounds the memory."""
    device: str = "auto"
    """auto, cpu or cuda."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
