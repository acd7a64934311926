"""Configuration of `robossl rerender`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from robossl.config.schema import STRICT, Count, Positive
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class RerenderConfig:
    """Draw collected episodes again under other looks, and write them as a new LeRobot data set."""

    __pydantic_config__ = STRICT

    dataset: Path
    """Data set of `robossl collect`."""
    output: Path = Path("runs/rerender")
    """Root of the new data set; the run's own files go to its folder `robossl/`."""
    domain: str = ""
    """Domain whose randomization the looks are drawn from: nominal, randomized or shifted; by default the episodes'."""
    num_looks: Positive = 2
    """Looks of each instant, stored as cameras `<camera>`, `<camera>_look2`, ..."""
    look_every: Count = 0
    """Frames that share one draw of the second and later looks; 0: one draw an episode. The first look stays."""
    cameras: tuple[str, ...] = ()
    """Cameras of the env, also ones that were not recorded; by default those of the data set."""
    image_size: Annotated[int, Field(ge=0, le=2048)] = 0
    """Height and width of the frames [px]; 0: as in the data set."""
    renderer: str = "auto"
    """gl, tiny, or auto: gl where it starts, else tiny."""
    seed: Count = 0
    """Of the looks."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""

    @property
    def run_directory(self) -> Path:
        """Where the run's own files lie: `output` itself belongs to the data set."""
        return self.output / "robossl"
