"""The loop that trains any objective, and what keeps it resumable."""

from robossl.training.checkpoint import load_checkpoint, save_checkpoint
from robossl.training.distributed import Processes, pick_device, processes
from robossl.training.loop import Hook, LoopSettings, Summary, train
from robossl.training.schedules import learning_rate_factor

__all__ = [
    "Hook",
    "LoopSettings",
    "Processes",
    "Summary",
    "learning_rate_factor",
    "load_checkpoint",
    "pick_device",
    "processes",
    "save_checkpoint",
    "train",
]
