"""Configuration of `robossl pretrain`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from robossl.config.schema import STRICT, Amount, Count, OptionalPath, Pixels, Positive, Rate, Share
from robossl.config.tracking import TrackingConfig

Argument = bool | int | float | str | tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """Where frames come from."""

    __pydantic_config__ = STRICT

    path: Path
    """LeRobot data set, folder of videos, or a folder of both (each data set below it becomes a source of its own)."""
    weight: Rate = 1.0
    """How often batches come from here, relative to the other sources."""
    views: tuple[str, ...] = ()
    """Cameras or looks of a clip, for example front front_look2; by default the first camera and its second look."""
    objectives: tuple[str, ...] = ()
    """Names of the objectives that this source feeds; by default all that it can."""
    frames: Literal["cache", "stream", "auto"] = "cache"
    """Decode all frames once into a cache on disk, or stream them out of the videos in every epoch: stretches of 512
    frames, shuffled in rounds; auto measures both for a few seconds and says which it takes."""
    shots: Literal["split", "keep"] = "split"
    """Make an episode of each shot of a video, so that no clip reaches over a cut; keep: of each file, without looking
    for cuts, which decodes every new file once. Data sets keep their episodes."""
    static_weight: Share = 1.0
    """How often clips begin in static stretches (half a second or more without motion), in parts of how often they
    begin elsewhere; below 1, frames of one stretch are no negatives of each other. 1: no such stretches are sought."""
    rerender: bool = False
    """Draw the first camera of collected episodes anew for every clip, each view under a look of its own, instead of
    reading the recorded pictures; `views` are then its looks: front, front_look2, ..."""
    num_looks: Positive = 2
    """With `rerender`: views of a clip."""
    look_domain: str = "randomized"
    """With `rerender`: domain whose randomization the looks are drawn from; no held-out one."""


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig:
    """One pretext task."""

    __pydantic_config__ = STRICT

    name: str
    """One of those of `docs/objectives.md`, for example paired_looks, time_contrast or future_frames."""
    weight: Rate = 1.0
    """Of its loss in the sum."""
    ramp_steps: Count = 0
    """Steps over which the weight goes from `start_weight` to `weight`, in a line; 0: it is `weight` from the start."""
    start_weight: Amount = 0.0
    """With `ramp_steps`: weight at the first step; 0 or more."""
    params: dict[str, Argument] = field(default_factory=dict)
    """Arguments of the objective, for example temperature."""


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """What is trained."""

    __pydantic_config__ = STRICT

    name: Literal["conv", "conv2plus1d", "impala", "resnet18", "resnet50", "vit_tiny", "vit_small"] = "conv"
    """Architecture; conv2plus1d is for clips, the others see single frames."""
    feature_dim: Positive = 128
    """Size of the features."""
    params: dict[str, Argument] = field(default_factory=dict)
    """Further arguments of the architecture, for example pooling."""
    weights: OptionalPath = None
    """Start from these: an encoder directory, or a checkpoint of timm, torchvision or R3M for a resnet or vit."""


@dataclass(frozen=True, kw_only=True)
class AugmentationConfig:
    """Random changes of frames; 0 switches one off."""

    __pydantic_config__ = STRICT

    shift_px: Count = 4
    """Largest shift to each side."""
    brightness: Share = 0.2
    """Largest shift of all channels, in parts of the full range."""
    contrast: Share = 0.2
    """Largest relative change of contrast."""
    saturation: Share = 0.2
    """Largest relative change of saturation."""
    blur: Share = 0.0
    """Probability of a blur."""
    noise: Share = 0.0
    """Largest standard deviation of noise, in parts of the full range."""
    cutout: Share = 0.0
    """Probability of a coloured rectangle."""
    random_conv: Share = 0.0
    """Probability of a random 3x3 filter on each channel."""
    shift_views_together: bool = True
    """Whether all views of a clip shift alike."""


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """Train an encoder on episodes and footage without labels."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/pretrain")
    """Run directory; the encoder goes to its folder `encoder/`."""
    sources: tuple[SourceConfig, ...] = (SourceConfig(path=Path("runs/collect")),)
    """Where frames come from; at least one."""
    objectives: tuple[ObjectiveConfig, ...] = (ObjectiveConfig(name="paired_looks"),)
    """The weighted sum to minimize."""
    encoder: EncoderConfig = EncoderConfig()
    """What is trained."""
    augmentation: AugmentationConfig = AugmentationConfig()
    """Random changes of frames."""
    image_size: tuple[Pixels, Pixels] = (64, 64)
    """Height and width of training frames [px]."""
    batch_size: Positive = 16
    """Clips in the joint batch of all processes; a clip holds several instants and views."""
    accumulate: Positive = 1
    """Batches whose gradients are averaged for one step. Contrasts and statistics stay within a batch."""
    num_steps: Positive = 1000
    """Optimizer steps."""
    learning_rate: Rate = 1e-3
    """Highest one (AdamW, warm-up, then `schedule`)."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls after the warm-up."""
    final_learning_rate: Share = 0.0
    """Part of the learning rate that is left at the end, 0-1; `constant` keeps all."""
    weight_decay: Amount = 0.01
    """Of AdamW."""
    warmup_steps: Count = 20
    """Over which the learning rate rises."""
    clip_norm: Amount = 1.0
    """Largest norm of the gradient; 0: not clipped."""
    average_momentum: Share = 0.0
    """Save a moving average of the encoder with this momentum (0.99, say), its last weights beside it; 0: off."""
    test_fraction: Share = 0.2
    """Part of the episodes that is never read, so that probes have fresh ones."""
    log_every: Positive = 10
    """Steps from one row of metrics to the next."""
    checkpoint_every: Positive = 100
    """Steps from one checkpoint to the next."""
    cache_dir: OptionalPath = None
    """Folder of decoded frames; by default $ROBOSSL_CACHE, else ~/.cache/robossl."""
    lpips_weights: OptionalPath = None
    """Also score predicted frames by LPIPS: torchvision's checkpoint of AlexNet or VGG-16, a local file."""
    seed: Count = 0
    """Of weights, data order, frames and augmentation."""
    device: str = "auto"
    """auto, cpu or cuda."""
    compile: bool = False
    """Compile the encoder (torch.compile): a minute at the start, then faster steps on a GPU; needs a C++ compiler."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
