"""Configuration of `robossl merge` and `robossl split`."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.schema import STRICT, Share
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class MergeConfig:
    """Put the episodes of data sets into one, also into one that is there; video is copied, not encoded again."""

    __pydantic_config__ = STRICT

    datasets: tuple[Path, ...]
    """Data sets that robossl wrote; the order of their episodes is kept."""
    output: Path = Path("runs/merge")
    """The data set that they go into. What it holds stays as it is, and what was copied before is not copied again."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""

    @property
    def run_directory(self) -> Path:
        """Where the run's own files lie: beside those of the run that recorded the data set."""
        return self.output / "robossl" / "merge"


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """Divide a data set into two new ones by episode; the data set itself stays as it is."""

    __pydantic_config__ = STRICT

    dataset: Path
    """Data set that robossl wrote."""
    output: Path = Path("runs/split")
    """Run directory; the new data sets are its folders `train/` and `test/`."""
    test_fraction: Share = 0.2
    """Part of the episodes that go to `test/`, chosen by a hash of their origin: those of one origin stay together."""
    test_episodes: tuple[str, ...] = ()
    """Instead: the episodes that go there, by number or as start:stop, for example 3 80:100."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
