"""Configuration of `robossl probe`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from robossl.config.schema import STRICT, Count, Positive, Share
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """Read numbers out of frozen features with a linear probe, and look at nearest neighbours."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/probe")
    """Run directory."""
    encoder: str = "runs/pretrain/encoder"
    """Directory of an encoder, a file with a ResNet's weights, or `random`: fresh weights."""
    architecture: str = "conv"
    """What `random` builds: conv, conv2plus1d, impala, resnet18, resnet50, vit_tiny, vit_small, or the directory of an
    encoder whose architecture is taken."""
    source: Path = Path("runs/collect")
    """Data set whose training episodes the probe is fitted on."""
    transfer: tuple[Path, ...] = ()
    """Further data sets (other domains) that the same probe is tested on without another fit."""
    camera: str = "front"
    """Camera whose frames are encoded."""
    key: str = "observation.environment_state"
    """What is read out."""
    dims: tuple[Count, ...] = ()
    """Columns of `key`; empty: all, and for simulator state the positions of end effector, object and goal."""
    max_frames: Positive = 4000
    """Frames taken from each data set for the fit, and as many for the test, evenly spaced."""
    test_fraction: Share = 0.2
    """Share of episodes that is held out."""
    pca: Count = 64
    """Components of the baseline probe on pixels; 0: no baseline."""
    heads: Annotated[tuple[Literal["linear", "mlp", "knn"], ...], Field(min_length=1)] = ("linear",)
    """What reads the features out: linear (ridge), mlp (one hidden layer), knn (the five nearest training frames)."""
    time: bool = False
    """Also ask for progress through the episode and velocity, and how neighbours line up episodes (Kendall's tau)."""
    domains: bool = False
    """Also ask how far each data set of `transfer` lies from the first one in feature space, and what tells actions."""
    identity: tuple[str, ...] = ()
    """Also tell apart what is the same in all of an episode: env_id or task of several data sets (which object is
    seen), or a drawn value of which there are few, for example object_size."""
    identity_beside: tuple[Path, ...] = ()
    """With `identity`: data sets of other things, which are fitted and tested on together with `source`."""
    segmentation: bool = False
    """Also ask the feature map which pixels show the robot and each body; masks are drawn from the recorded states."""
    num_neighbour_queries: Count = 4
    """Frames whose nearest neighbours are drawn, beside distances along episodes; 0: no figures."""
    seed: Count = 0
    """Of fresh weights."""
    device: str = "auto"
    """auto, cpu or cuda."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
