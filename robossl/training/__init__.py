"""The loop that trains any objective, and what keeps it resumable."""

from robossl.training.checkpoint import load_checkpoint, read_state, restore_random, save_checkpoint, write_state
from robossl.training.distributed import Processes, pick_device, processes
from robossl.training.loop import Hook, train
from robossl.training.schedules import learning_rate_factor
from robossl.training.settings import LoopSettings, Summary

__all__ = [
    "Hook",
    "LoopSettings",
    "Processes",
    "Summary",
    "learning_rate_factor",
    "load_checkpoint",
    "pick_device",
    "processes",
    "read_state",
    "restore_random",
    "save_checkpoint",
    "train",
    "write_state",
]
