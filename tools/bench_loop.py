"""What the training loop adds to a bare one: the default recipe with all that belongs to it, frames in memory.

    python tools/bench_loop.py [--steps 60] [--json]

The loop reads, clips, logs, writes checkpoints and watches over the features; the bare one is forward, backward and
optimizer on the same frames and model, ten steps of one after ten of the other. Augmentation is of both; its share, and
the watch's, are told too.
"""

import argparse
import copy
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_parts import CLOCKS, Frames, Times, adamw, build_objective, milliseconds, now, recipe, since

from robossl.config.pretrain import PretrainConfig
from robossl.data.augmentations import Augmentations
from robossl.data.clip_dataset import ClipDataset, ClipLoader
from robossl.data.sampler import BatchSampler
from robossl.data.sources import EpisodeSource
from robossl.objectives import WeightedSum
from robossl.stages.best_encoder import BestEncoder
from robossl.stages.health_frames import HealthFrames
from robossl.stages.pretrain_health import EVERY_LOGS, HealthWatch
from robossl.stages.pretrain_sources import TrainingSource
from robossl.training import LoopSettings, Processes, train
from robossl.types import ClipBatch

BLOCK = 10
"""Steps of the loop, then as many bare ones."""
ALONE = Processes(rank=0, world_size=1, device=torch.device("cpu"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    measured = {"threads": torch.get_num_threads(), "loop": _loop(recipe(), num_steps=options.steps)}
    print(json.dumps(measured, indent=None if options.json else 2))


class _Turns:
    """Takes bare steps after every block of the loop's, and keeps the times of both and of the watch."""

    def __init__(self, bare: Callable[[], None]) -> None:
        self.loop: list[Times] = []
        self.bare: list[Times] = []
        self.watch: list[Times] = []
        self._bare = bare
        self._start: Times | None = None

    def on_step(self, done: int, loss: float) -> None:
        if done % BLOCK:
            return
        if self._start:  # the first block warms up
            self.loop.append(since(self._start))
        start = now()
        for _ in range(BLOCK):
            self._bare()
        if self._start:
            self.bare.append(since(start))
        self._start = now()

    def timed(self, hook: Callable[[int], Mapping[str, float]]) -> Callable[[int], Mapping[str, float]]:
        def look(done: int) -> Mapping[str, float]:
            start = now()
            found = hook(done)
            self.watch.append(since(start))
            return found

        return look


def _loop(config: PretrainConfig, *, num_steps: int) -> dict[str, Any]:
    """Return the times of a step of the loop and of a bare one [ms], and the watch's share of training."""
    (spec,) = config.objectives
    objective = build_objective(config, spec.name, spec.params)
    source: EpisodeSource = Frames(num_episodes=240, length=31, size=config.image_size)
    whole = TrainingSource(
        name="random",
        source=source,
        weight=1.0,
        views=source.cameras,
        objectives=None,
        train=np.arange(200),
        test=np.arange(200, 240),
    )
    window = objective.window_for(num_views=2, has_actions=False)
    clips = ClipDataset(source, window, seed=0, views=whole.views, episodes=whole.train.tolist())
    sampler = BatchSampler([len(clips)], batch_size=config.batch_size, seed=0)
    loader = ClipLoader([clips], sampler, names=[whole.name])
    augment = Augmentations(seed=0, **vars(config.augmentation))

    def prepare(batch: ClipBatch, number: int) -> ClipBatch:
        return augment(batch, sampler.plan(number).positions, keys=window.augmentation_keys)

    raw = loader(0)
    turns = _Turns(_bare_step(copy.deepcopy(objective), lambda: prepare(raw, 0), config))
    with tempfile.TemporaryDirectory() as folder:
        best = BestEncoder(Path(folder) / "encoder-best", {})
        watch = HealthWatch(HealthFrames([whole]), objective.encoder.eval(), best=best)
        every = EVERY_LOGS * config.log_every
        hook = turns.timed(watch.hook(objective.encoder, is_first=True))
        train(
            objective,
            read=loader,
            prepare=prepare,
            settings=LoopSettings(
                num_steps=num_steps,
                learning_rate=config.learning_rate,
                log_every=config.log_every,
                checkpoint_every=config.checkpoint_every,
                hook_every=every,
            ),
            here=ALONE,
            checkpoints=Path(folder) / "checkpoints",
            fingerprint="bench",
            log=lambda step, metrics: None,
            on_step=turns.on_step,
            hooks=[hook],
        )
        for _ in range(5):
            hook(num_steps)
    loop, bare = np.array(turns.loop) / BLOCK, np.array(turns.bare) / BLOCK
    augment = np.median([milliseconds(lambda: prepare(raw, 0)) for _ in range(9)], axis=0)
    return {
        clock: {
            "loop_ms": float(np.median(loop[:, i])),
            "bare_ms": float(np.median(bare[:, i])),
            "bare_share": float(np.median(bare[:, i] / loop[:, i])),
            "augment_ms": float(augment[i]),
            "watch_ms": float(np.median(np.array(turns.watch)[:, i])),
            "watch_share": float(np.median(np.array(turns.watch)[:, i]) / (every * np.median(loop[:, i]))),
        }
        for i, clock in enumerate(CLOCKS)
    }


def _bare_step(
    objective: WeightedSum, augmented: Callable[[], ClipBatch], config: PretrainConfig
) -> Callable[[], None]:
    optimizer = adamw(objective.param_groups(), config)
    objective.train()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        objective(augmented()).loss.backward()
        optimizer.step()

    return step
