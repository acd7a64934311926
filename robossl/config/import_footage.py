"""What `robossl import` can be told."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from robossl.config.schema import STRICT, Count, Pixels, Positive, Rate
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """Bring a folder of videos, GIFs or a LeRobot data set in as a LeRobotDataset v3 directory."""

    __pydantic_config__ = STRICT

    path: Path
    """A folder of videos (searched recursively), one video, or a LeRobotDataset directory (v2.x or v3)."""
    output: Path = Path("runs/import")
    """The new data set directory."""
    image_size: Annotated[tuple[Pixels, Pixels] | None, tyro.conf.arg(metavar="INT INT")] = None
    """Height and width in px of the stored frames, both even; by default the size of the first video."""
    aspect: Literal["stretch", "pad", "crop"] = "stretch"
    """How a video of another aspect ratio gets there: fill the size, add black borders, or cut the centre out."""
    background: Literal["keep", "subtract"] = "keep"
    """subtract: of a camera that stands still only what moves is kept, as mid-grey plus the difference to its
    median over the episode."""
    fps_hz: Annotated[Positive | None, tyro.conf.arg(metavar="INT")] = None
    """Frame rate of the data set; by default that of the footage (its median). Other rates are resampled to it."""
    damaged: Literal["strict", "keep_prefix"] = "strict"
    """What becomes of truncated or corrupt files: left out, or the frames before the damage are taken; both counted."""
    shots: Literal["split", "keep"] = "split"
    """Make an episode of each shot of a video, as hard cuts part them; keep: of each file."""
    cameras: tuple[str, ...] = ()
    """Names of synchronous cameras as they stand in the files' paths, for example left right: files whose paths differ
    only there are one episode, of one shot, with these cameras; by default each file is an episode of its own."""
    max_episode_s: Rate = 300.0
    """Longer videos are cut into episodes of this length; at most 500, where float32 timestamps blur."""
    task: str = ""
    """The task as a sentence, for footage that names none."""
    seed: Count = 0
    """Not used, since nothing is drawn; every command has one."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""

    @property
    def run_directory(self) -> Path:
        """Where the run's own files lie: `output` itself belongs to the data set."""
        return self.output / "robossl"
