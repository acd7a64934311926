"""A tiny pretraining run on episodes in memory."""

import time
from collections.abc import Mapping
from pathlib import Path

import torch
from memory_source import MemorySource

from robossl.data.augmentations import Augmentations
from robossl.data.clip_dataset import ClipDataset, ClipLoader
from robossl.data.sampler import BatchSampler
from robossl.encoders import build_encoder
from robossl.objectives import ActionStats, Ramp, WeightedSum, build_objectives
from robossl.training import LoopSettings, Processes, Summary, processes, train
from robossl.training.schedules import Schedule
from robossl.types import ClipBatch

STATS = {"memory": ActionStats(mean=[0.0, 0.0], std=[0.5, 0.5])}
ALL = (
    ("paired_looks", 1.0, {"num_instants": 3, "projection_dim": 8}),
    ("time_contrast", 0.5, {"num_anchors": 3, "projection_dim": 8}),
    ("future_frames", 0.5, {"num_context": 2, "horizons": (1, 3), "widths": (8, 16)}),
    ("future_features", 0.5, {"num_context": 2, "horizons": (1, 3), "hidden_dim": 16}),
    ("inverse_dynamics", 0.5, {"num_context": 2, "frame_stride": 1, "reach": 3, "hidden_dim": 16}),
)


def tiny_objective(
    specs: tuple = ALL, *, seed: int = 0, average_momentum: float = 0.9, ramps: Mapping[str, Ramp] | None = None
) -> WeightedSum:
    torch.manual_seed(seed)
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16), strides=(4, 2))
    return build_objectives(specs, encoder, action_stats=STATS, average_momentum=average_momentum, ramps=ramps)


def tiny_loader(
    objective: WeightedSum, *, batch_size: int = 4, seed: int = 0, here: Processes | None = None
) -> ClipLoader:
    source = MemorySource()
    dataset = ClipDataset(
        source, objective.window_for(num_views=2, has_actions=True), seed=seed, views=("front", "front_look2")
    )
    rank, world_size = (here.rank, here.world_size) if here else (0, 1)
    sampler = BatchSampler([len(dataset)], batch_size=batch_size, seed=seed, rank=rank, world_size=world_size)
    return ClipLoader([dataset], sampler, names=["memory"])


def tiny_train(
    directory: Path,
    num_steps: int,
    *,
    specs: tuple = ALL,
    planned_steps: int | None = None,
    pause_s: float = 0.0,
    batch_size: int = 4,
    rows: list[tuple[int, Mapping[str, float]]] | None = None,
    here: Processes | None = None,
    learning_rate: float = 1e-3,
    average_momentum: float = 0.9,
    ramps: Mapping[str, Ramp] | None = None,
    accumulate: int = 1,
    schedule: Schedule = "cosine",
) -> tuple[WeightedSum, Summary]:
    """Train to `num_steps`; with `planned_steps` stop there as after Ctrl-C, in a schedule of that many."""
    objective = tiny_objective(specs, average_momentum=average_momentum, ramps=ramps)
    here = here or Processes(rank=0, world_size=1, device=torch.device("cpu"))
    loader = tiny_loader(objective, here=here, batch_size=batch_size)
    augment = Augmentations(seed=0, noise=0.05, cutout=0.5, blur=0.5, random_conv=0.3)

    def prepare(batch: ClipBatch, number: int) -> ClipBatch:
        time.sleep(pause_s)
        if number == num_steps * accumulate:
            raise KeyboardInterrupt
        positions = loader.sampler.plan(number).positions
        return augment(batch, positions, keys=objective.window.augmentation_keys)

    settings = LoopSettings(
        num_steps=planned_steps or num_steps,
        learning_rate=learning_rate,
        warmup_steps=2,
        accumulate=accumulate,
        schedule=schedule,
        log_every=1,
        checkpoint_every=1,
    )
    summary = train(
        objective,
        read=loader,
        prepare=prepare,
        settings=settings,
        here=here,
        checkpoints=directory,
        fingerprint="tiny",
        log=lambda step, metrics: rows.append((step, metrics)) if rows is not None else None,
    )
    return objective, summary


def run_to_the_end(directory: Path, num_steps: int) -> None:
    """Train slowly enough to be killed in between, and write `final.pt`."""
    torch.set_num_threads(1)
    with processes("cpu") as group:
        trained, result = tiny_train(directory, num_steps, pause_s=0.02, here=group)
    temporary = directory / "final.tmp"
    torch.save({"loss": result.loss, "weights": trained.state_dict()}, temporary)
    temporary.rename(directory / "final.pt")
