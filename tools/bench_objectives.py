"""Beside lightly and stable-pretraining: equal losses, the time of a contrastive step, and what the training loop adds.

    python -m venv DIR && DIR/bin/pip install torch robossl lightly stable-pretraining
    DIR/bin/python tools/bench_objectives.py [--rounds 9] [--steps 60] [--json]

Three things are measured on one machine, in one process, with frames in memory:

- InfoNCE and VICReg of all three on the same random float64 embeddings: largest difference of loss and gradient;
- a contrastive step (two looks through the same kind of encoder and projector, loss, backward, clipping, AdamW), one of
  each library after the other, round by round: medians, and the median of the rounds' ratios;
- the training loop with the default recipe and all that belongs to it (reading, clipping, log, checkpoints, the watch
  over the features), beside a bare loop of forward, backward and optimizer on the same frames and model: ten steps of
  one after ten of the other. Augmentation is of both; its share, and the watch's, are told too.
"""

import argparse
import copy
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from robossl.config.load import load_config
from robossl.config.pretrain import PretrainConfig
from robossl.data.augmentations import Augmentations
from robossl.data.clip_dataset import ClipDataset, ClipLoader
from robossl.data.sampler import BatchSampler
from robossl.data.sources import EpisodeSource
from robossl.encoders import build_encoder
from robossl.objectives import WeightedSum, build_objectives
from robossl.objectives.parts.infonce import pair_info_nce
from robossl.objectives.parts.vicreg import spread_terms
from robossl.stages.best_encoder import BestEncoder
from robossl.stages.health_frames import HealthFrames
from robossl.stages.pretrain_health import EVERY_LOGS, HealthWatch
from robossl.stages.pretrain_sources import TrainingSource
from robossl.training import LoopSettings, Processes, train
from robossl.types import ClipBatch

RECIPE = Path(__file__).parents[1] / "configs/pretrain/push.yaml"
TEMPERATURE = 0.1
BLOCK = 10
"""Steps of the loop, then as many bare ones."""
ALONE = Processes(rank=0, world_size=1, device=torch.device("cpu"))
Losses = Mapping[str, Callable[[Tensor, Tensor], Tensor]]
Times = tuple[float, float]
"""On the wall's clock, and of the processor: what a busy machine does not change."""


class Frames:
    """Episodes of random frames with a state, in memory."""

    cameras = ("front", "front_look2")
    fps_hz, digest = 20.0, "random"

    def __init__(self, *, num_episodes: int, length: int, size: tuple[int, int]) -> None:
        generator = np.random.default_rng(0)
        self.lengths = np.full(num_episodes, length)
        self.features = {"observation.environment_state": 9}
        self._pixels = generator.integers(0, 256, (num_episodes, len(self.cameras), length, 3, *size), np.uint8)
        self._states = generator.normal(size=(num_episodes, length, 9)).astype(np.float32)

    def frames(self, episode: int, indices: Any, camera: str) -> np.ndarray:
        return self._pixels[episode, self.cameras.index(camera), np.asarray(indices)]

    def values(self, episode: int, indices: Any, key: str) -> np.ndarray:
        return self._states[episode, np.asarray(indices)]

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        return {}

    def episode_key(self, episode: int) -> str:
        return f"episode {episode}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="of contrastive steps")
    parser.add_argument("--steps", type=int, default=60, help="of the training loop")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    peers = {"InfoNCE": _info_nce_of_peers(TEMPERATURE), "VICReg": _vicreg_of_peers()}
    config = load_config(PretrainConfig, RECIPE)
    indent = None if options.json else 2
    print(
        json.dumps({"threads": torch.get_num_threads(), "differences": _differences(peers)}, indent=indent), flush=True
    )
    print(json.dumps({"loss": _losses(peers["InfoNCE"])}, indent=indent), flush=True)
    print(json.dumps({"step": _steps(config, peers["InfoNCE"], rounds=options.rounds)}, indent=indent), flush=True)
    print(json.dumps({"loop": _loop(config, num_steps=options.steps)}, indent=indent), flush=True)


def _info_nce_of_peers(temperature: float) -> Losses:
    from lightly.loss import NTXentLoss
    from stable_pretraining.losses import NTXEntLoss

    return {"lightly": NTXentLoss(temperature), "stable-pretraining": NTXEntLoss(temperature)}


def _vicreg_of_peers() -> Losses:
    from lightly.loss import VICRegLoss
    from stable_pretraining.losses import VICRegLoss as StableVICRegLoss

    return {"lightly": VICRegLoss(), "stable-pretraining": StableVICRegLoss()}


def _our_info_nce(first: Tensor, second: Tensor) -> Tensor:
    """Return the loss of `simclr`, each row an episode of its own so that all others are negatives."""
    number = torch.arange(len(first))
    return pair_info_nce(
        first,
        second,
        episode=number,
        first_time_s=torch.zeros(len(first)),
        second_time_s=torch.zeros(len(first)),
        valid=torch.ones(len(first), dtype=torch.bool),
        temperature=TEMPERATURE,
        negative_margin_s=0.1,
    )[0]


def _our_vicreg(first: Tensor, second: Tensor) -> Tensor:
    """Return the loss of `vicreg` with its default weights, from the terms that it is made of."""
    (variance, covariance), (other_variance, other_covariance) = spread_terms(first), spread_terms(second)
    invariance = (first - second).square().mean()
    return 25 * invariance + 25 * (variance + other_variance) / 2 + covariance + other_covariance


def _differences(peers: Mapping[str, Losses]) -> dict[str, Any]:
    """Return the largest differences of loss and gradient to ours on the same numbers."""
    generator = torch.Generator().manual_seed(0)
    sides = [torch.randn(256, 64, generator=generator, dtype=torch.float64) for _ in range(2)]
    sides[1] = sides[0] + 0.5 * sides[1]
    found: dict[str, Any] = {}
    for kind, ours in (("InfoNCE", _our_info_nce), ("VICReg", _our_vicreg)):
        loss, gradient = _with_gradient(ours, sides)
        for name, theirs in peers[kind].items():
            other_loss, other_gradient = _with_gradient(theirs, sides)
            found[f"{kind}, {name}"] = {
                "loss": loss,
                "loss_difference": abs(loss - other_loss),
                "gradient_difference": float((gradient - other_gradient).abs().max()),
            }
    return found


def _with_gradient(loss: Callable[[Tensor, Tensor], Tensor], sides: list[Tensor]) -> tuple[float, Tensor]:
    first, second = (side.clone().requires_grad_() for side in sides)
    value = loss(first, second)
    value.backward()
    assert first.grad is not None
    assert second.grad is not None
    return float(value.detach()), torch.cat([first.grad, second.grad])


def _objective(config: PretrainConfig, name: str, params: Mapping[str, Any]) -> WeightedSum:
    torch.manual_seed(0)
    encoder = build_encoder(
        config.encoder.name,
        image_size=config.image_size,
        feature_dim=config.encoder.feature_dim,
        **config.encoder.params,
    )
    return build_objectives([(name, 1.0, params)], encoder).to(memory_format=torch.channels_last)


def _steps(config: PretrainConfig, peers: Losses, *, rounds: int) -> dict[str, Any]:
    """Return the median times of a step of each library [ms], and the rounds' median ratios to ours."""
    objective = _objective(config, "simclr", {"num_instants": 2, "temperature": TEMPERATURE})
    source = Frames(num_episodes=config.batch_size, length=31, size=config.image_size)
    window = objective.window_for(num_views=1, has_actions=False)
    clips = ClipDataset(source, window, seed=0, views=source.cameras[:1])
    batch = clips.batch(range(config.batch_size), positions=range(config.batch_size))
    steps = {"robossl": _our_step(objective, batch)}
    for name, loss in peers.items():
        own = copy.deepcopy(objective)
        steps[name] = _their_step(own.encoder, own.members["simclr"].projector, loss, batch)
    for step in steps.values():
        step()  # what is made at the first call is not timed
    times: dict[str, list[Times]] = {name: [] for name in steps}
    for number in range(rounds):
        names = list(steps)[number % len(steps) :] + list(steps)[: number % len(steps)]
        for name in names:
            times[name].append(_milliseconds(steps[name]))
    return {name: _beside(found, times["robossl"]) for name, found in times.items()}


def _beside(times: Sequence[Times], ours: Sequence[Times]) -> dict[str, dict[str, float]]:
    """Return medians [ms] and the median ratio to ours, on the wall's clock and on the processor's."""
    theirs, own = np.array(times), np.array(ours)
    return {
        clock: {"ms": float(np.median(theirs[:, i])), "times_ours": float(np.median(theirs[:, i] / own[:, i]))}
        for i, clock in enumerate(("wall", "processor"))
    }


def _milliseconds(step: Callable[[], Any]) -> Times:
    start = _now()
    step()
    return _since(start)


def _now() -> Times:
    return time.perf_counter(), time.process_time()


def _since(start: Times) -> Times:
    """Return milliseconds."""
    return 1000 * (time.perf_counter() - start[0]), 1000 * (time.process_time() - start[1])


def _losses(peers: Losses) -> dict[str, dict[str, dict[str, float]]]:
    """Return the times of InfoNCE and its gradient alone, for 128 pairs as in the step."""
    generator = torch.Generator().manual_seed(0)
    sides = [torch.randn(128, 64, generator=generator) for _ in range(2)]
    losses = {"robossl": _our_info_nce, **peers}
    times: dict[str, list[Times]] = {name: [] for name in losses}
    for _ in range(100):
        for name, loss in losses.items():
            times[name].append(_milliseconds(partial(_with_gradient, loss, sides)))
    return {name: _beside(found, times["robossl"]) for name, found in times.items()}


def _adamw(groups: Any, config: PretrainConfig) -> torch.optim.AdamW:
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def _finish(loss: Tensor, parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


def _our_step(objective: WeightedSum, batch: ClipBatch) -> Callable[[], None]:
    parameters = [p for p in objective.parameters() if p.requires_grad]
    optimizer = _adamw(objective.param_groups(), PretrainConfig())
    return lambda: _finish(objective(batch).loss, parameters, optimizer)


def _their_step(encoder: nn.Module, projector: nn.Module, loss: Any, batch: ClipBatch) -> Callable[[], None]:
    """Return a step as their documentation writes it, on the same frames."""
    model = nn.Sequential(encoder, projector)
    parameters = list(model.parameters())
    optimizer = _adamw(parameters, PretrainConfig())
    first, second = (batch.pixels[:, 0, batch.groups[name]].flatten(0, 1) for name in ("anchor", "again"))
    return lambda: _finish(loss(model(first), model(second)), parameters, optimizer)


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
            self.loop.append(_since(self._start))
        start = _now()
        for _ in range(BLOCK):
            self._bare()
        if self._start:
            self.bare.append(_since(start))
        self._start = _now()

    def timed(self, hook: Callable[[int], Mapping[str, float]]) -> Callable[[int], Mapping[str, float]]:
        def look(done: int) -> Mapping[str, float]:
            start = _now()
            found = hook(done)
            self.watch.append(_since(start))
            return found

        return look


def _loop(config: PretrainConfig, *, num_steps: int) -> dict[str, Any]:
    """Return the times of a step of the loop and of a bare one [ms], and the watch's share of training."""
    (spec,) = config.objectives
    objective = _objective(config, spec.name, spec.params)
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
    augment = np.median([_milliseconds(lambda: prepare(raw, 0)) for _ in range(9)], axis=0)
    return {
        clock: {
            "loop_ms": float(np.median(loop[:, i])),
            "bare_ms": float(np.median(bare[:, i])),
            "bare_share": float(np.median(bare[:, i] / loop[:, i])),
            "augment_ms": float(augment[i]),
            "watch_ms": float(np.median(np.array(turns.watch)[:, i])),
            "watch_share": float(np.median(np.array(turns.watch)[:, i]) / (every * np.median(loop[:, i]))),
        }
        for i, clock in enumerate(("wall", "processor"))
    }


def _bare_step(
    objective: WeightedSum, augmented: Callable[[], ClipBatch], config: PretrainConfig
) -> Callable[[], None]:
    optimizer = _adamw(objective.param_groups(), config)
    objective.train()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        objective(augmented()).loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
