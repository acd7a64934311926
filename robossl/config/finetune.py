"""Configuration of `robossl finetune`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from robossl.config.env import DEFAULT_CAMERAS
from robossl.config.schema import STRICT, Amount, Count, Finite, Positive, Rate, Share
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig:
    """Clone the behaviour of demonstrations, on an encoder or on simulator state."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/finetune")
    """Run directory; the policy goes to its folder `policy/`."""
    demonstrations: Path = Path("runs/demonstrations")
    """LeRobot data set of demonstrations."""
    num_demonstrations: Positive = 25
    """The first so many episodes are used."""
    encoder: str = "runs/pretrain/encoder"
    """Directory of an encoder, or a file with a ResNet's weights; `random`: fresh weights; `state`: none, the policy
    reads simulator truth (ceiling)."""
    architecture: str = "conv"
    """What `random` and mode scratch build: conv, resnet18, vit_tiny, or the directory of an encoder whose architecture
    is taken."""
    mode: Literal["frozen", "finetuned", "lora", "scratch"] = "frozen"
    """frozen: the encoder stays as it is; finetuned: it is trained along; lora: a low-rank change of its linear and
    attention layers is, for transformers; scratch: fresh weights, trained along."""
    lora_rank: Positive = 8
    """Rank of the change; for mode lora."""
    labels: Literal["executed", "intended"] = "executed"
    """What is imitated: the actions that were carried out, or what the expert wanted before noise was added, which
    `robossl collect` records with `intended_actions`."""
    cameras: tuple[str, ...] = DEFAULT_CAMERAS
    """Cameras that the policy sees; with `goal` at the end also a picture of the solved task: of how a demonstration
    ends."""
    second_look: bool = True
    """Whether the same steps under another look (`<camera>_look2`) are learned from too, where the data has them."""
    proprio: bool = True
    """Whether the policy also sees end effector position and gripper width."""
    chunk_length: Positive = 4
    """Actions predicted at once, 1 or more."""
    execution: Literal["receding", "ensemble"] = "receding"
    """receding: take `execute_steps` of a chunk, then ask again; ensemble: ask at each step and average the chunks
    (smoother, but late: in one trial on Push, 25 demonstrations and a policy on simulator state, 55-68 % of 40 episodes
    against 82 % with one action of each chunk of 4; one seed, chunk lengths differed)."""
    execute_steps: Positive = 1
    """Actions taken from one chunk, 1 to chunk_length; for `receding`."""
    ensemble_rate: Finite = 0.1
    """Weight of the i-th oldest chunk is exp(-rate * i), so below 0 the newest counts most; for `ensemble`."""
    head: Literal["mlp", "residual", "recurrent", "transformer", "diffusion", "flow"] = "mlp"
    """mlp: fast, and right where there is one way to act; residual: a deeper one, for tasks of precision, with a few
    thousand steps; flow, diffusion: draw one of several ways; transformer: one query for each action of the chunk;
    recurrent: a GRU over the last `num_observation_steps`."""
    num_observation_steps: Positive = 1
    """Pictures of each camera that the policy sees at once: that of now and those of the steps before."""
    sampling_steps: Positive = 10
    """Steps from noise to a chunk; for `diffusion` and `flow`."""
    temperature: Amount = 0.3
    """Width of the noise that a chunk is made of, times that of training; 1 draws as demonstrations do, 0 draws nothing
    and takes the nearer of several ways; for `diffusion` and `flow`."""
    hidden: tuple[Positive, ...] = (256, 256)
    """Widths of the head's hidden layers; for the other heads the first one is theirs (of transformer a multiple of 4),
    and how many there are."""
    dropout: Share = 0.2
    """Of features and hidden layers, 0-1."""
    loss: Literal["l1", "mse", "huber"] = "l1"
    """Between normalized actions; for those that do not draw."""
    num_steps: Positive = 1000
    """Optimizer steps."""
    batch_size: Positive = 128
    """Steps of demonstrations in a batch."""
    learning_rate: Rate = 1e-3
    """Of the head (AdamW, cosine to zero)."""
    encoder_learning_rate: Rate = 3e-4
    """Of the encoder, where it is trained."""
    layer_decay: Share = 1.0
    """Factor on it from one layer of the encoder to the one before: below 1, what is near the picture changes least."""
    weight_decay: Amount = 1e-2
    """Of AdamW."""
    num_augmentations: Count = 8
    """Augmented copies of each frame that a frozen encoder is shown beside the frame itself."""
    shift_px: Count = 2
    """Largest random shift of a frame [px]."""
    jitter: Share = 0.15
    """Half width of the colour draws, 0-1."""
    seed: Count = 0
    """Of weights, batches and augmentation."""
    device: str = "auto"
    """auto, cpu or cuda."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
