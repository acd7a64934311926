"""What the training loop is told, and what it tells when it is done."""

from dataclasses import dataclass

from robossl.training.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """How long and how fast to learn."""

    num_steps: int
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 20
    schedule: Schedule = "cosine"
    final_lr_factor: float = 0.0
    """Part of the learning rate that is left at the end, 0-1; a constant schedule has none."""
    accumulate: int = 1
    """Batches of one step: their gradients are averaged."""
    clip_norm: float = 1.0
    """Largest norm of the gradient; 0 switches clipping off."""
    log_every: int = 10
    checkpoint_every: int = 100
    hook_every: int = 0
    """Steps from one call of the hooks to the next; 0: never."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a finished loop tells."""

    num_steps: int
    first_step: int
    """0, or the step that was resumed at."""
    loss: float
    """Of the last step, over all ranks."""
    seconds: float
    cpu_seconds: float
    """Processor time of this process, all its threads together: what a busy machine does not change."""
    data_wait_fraction: float
    """Part of the time that was spent waiting for data, 0-1."""
    images_per_s: float
