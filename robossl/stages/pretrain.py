"""`robossl pretrain`: self-supervised training of an encoder on episodes and footage."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import torch

from robossl.config.load import dump_values
from robossl.config.pretrain import PretrainConfig
from robossl.data.augmentations import Augmentations
from robossl.data.clip_dataset import ClipDataset, ClipLoader, moved
from robossl.data.sampler import BatchSampler
from robossl.data.stream import ScaledSource, StreamedClips
from robossl.encoders import compile_encoder, load_initial_weights, save_encoder
from robossl.errors import ConfigError
from robossl.evaluation.perceptual import LPIPS_MIN_SIZE_PX, Lpips
from robossl.objectives import FutureFrames, Ramp, WeightedSum, build_objectives
from robossl.runs import Run, fingerprint
from robossl.stages.best_encoder import BestEncoder
from robossl.stages.encoders import fresh_encoder
from robossl.stages.health_frames import HealthFrames
from robossl.stages.pretrain_checks import check_objectives
from robossl.stages.pretrain_frames import frames_table, score_future_frames
from robossl.stages.pretrain_health import EVERY_LOGS, HealthWatch
from robossl.stages.pretrain_sources import TrainingSource, action_stats, cameras_of, inputs_of, open_sources
from robossl.stages.progress import progress_bar
from robossl.training import LoopSettings, Processes, Summary, processes, train
from robossl.types import ClipBatch


def pretrain(config: PretrainConfig, *, run: Run) -> dict[str, Any]:
    """Train, save the encoder to the run's `encoder/`, and return how it went.

    Raises:
        ConfigError: values that do not go together.
        DataError: a source that can't be read.
        TrainingError: a loss that is not finite, or a checkpoint of another configuration.
    """
    _check(config)
    lpips = None if config.lpips_weights is None else Lpips(config.lpips_weights)
    with processes(config.device) as here:
        with run.time("read sources"):
            sources = open_sources(config, directory=run.path)
        try:
            return _pretrain(config, sources, lpips, run=run, here=here)
        finally:
            for item in sources:
                item.close()


def _pretrain(
    config: PretrainConfig, sources: list[TrainingSource], lpips: Lpips | None, *, run: Run, here: Processes
) -> dict[str, Any]:
    objective = _objective(config, sources).to(here.device).to(memory_format=torch.channels_last)
    if config.compile:
        compile_encoder(objective.encoder)
    loader = _loader(config, objective, sources, here=here)
    inputs = inputs_of(sources)
    card = _card(config, inputs, cameras_of(sources))
    watch = HealthWatch(HealthFrames(sources), objective.encoder.eval(), best=BestEncoder(run.best_encoder, card))
    with run.time("pretrain"), closing(loader):
        summary = _train(config, objective, loader, watch, inputs, run=run, here=here)
    if not here.is_first:
        return {}
    with run.time("score future frames"):
        frames = _frame_scores(objective, sources, lpips, run=run)
    save_encoder(objective.best_encoder, run.encoder, card)
    if objective.average is not None:
        save_encoder(objective.encoder, run.path / "encoder-unaveraged", card)
    run.tracker.log_artifact("encoder", kind="encoder", path=run.encoder, inputs=inputs)
    health = watch.look(objective.best_encoder.eval(), step=summary.num_steps)
    found = {"encoder": str(run.encoder), "best": watch.best.found, "collapsed_since": watch.collapsed_since}
    return {**found, "inputs": inputs, **asdict(summary), **health.metrics(), **frames}


def _objective(config: PretrainConfig, sources: list[TrainingSource]) -> WeightedSum:
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        encoder = fresh_encoder(config)
        if config.encoder.weights is not None:
            load_initial_weights(encoder, config.encoder.weights)
        objective = build_objectives(
            [(spec.name, spec.weight, spec.params) for spec in config.objectives],
            encoder,
            action_stats=action_stats(sources),
            average_momentum=config.average_momentum,
            ramps={
                spec.name: Ramp(spec.start_weight, spec.ramp_steps) for spec in config.objectives if spec.ramp_steps
            },
        )
    for item in sources:
        if item.objectives is not None:
            objective.restrict(item.name, item.objectives)
    check_objectives(objective, sources, config)
    return objective


def _train(
    config: PretrainConfig,
    objective: WeightedSum,
    loader: ClipLoader,
    watch: HealthWatch,
    inputs: dict[str, str],
    *,
    run: Run,
    here: Processes,
) -> Summary:
    augment = Augmentations(seed=config.seed, **asdict(config.augmentation))
    keys = objective.window.augmentation_keys

    def prepare(batch: ClipBatch, number: int) -> ClipBatch:
        return augment(moved(batch, here.device), loader.sampler.plan(number).positions, keys=keys)

    def resume(step: int) -> None:
        run.tracker.cut_back(step)
        watch.resume(step, run.tracker.rows())

    with progress_bar() as progress:
        task = progress.add_task("pretrain", total=config.num_steps, visible=here.is_first)
        return train(
            objective,
            read=loader,
            prepare=prepare,
            settings=LoopSettings(
                num_steps=config.num_steps,
                learning_rate=config.learning_rate,
                weight_decay=config.weight_decay,
                warmup_steps=config.warmup_steps,
                schedule=config.schedule,
                final_lr_factor=config.final_learning_rate,
                accumulate=config.accumulate,
                clip_norm=config.clip_norm,
                log_every=config.log_every,
                checkpoint_every=config.checkpoint_every,
                hook_every=EVERY_LOGS * config.log_every,
            ),
            here=here,
            checkpoints=run.checkpoints,
            fingerprint=fingerprint([_what_decides(config), inputs]),
            log=lambda step, metrics: run.tracker.log(step, dict(metrics)),
            on_resume=resume,
            hooks=[watch.hook(objective.best_encoder, is_first=here.is_first)],
            on_step=lambda done, loss: progress.update(task, completed=done, description=f"pretrain (loss {loss:.3f})"),
        )


def _what_decides(config: PretrainConfig) -> dict[str, Any]:
    """Return the settings that the weights depend on."""
    free = ("output", "tracking", "cache_dir", "log_every", "checkpoint_every", "device", "compile", "sources")
    scores = ("lpips_weights",)
    settings = {name: value for name, value in asdict(config).items() if name not in free + scores}
    return settings | {"sources": [dump_values(source) | {"path": ""} for source in config.sources]}


def _loader(
    config: PretrainConfig, objective: WeightedSum, sources: list[TrainingSource], *, here: Processes
) -> ClipLoader:
    datasets = [_clips(config, objective, item, here=here) for item in sources]
    _check_lengths(datasets)
    sampler = BatchSampler(
        [len(dataset) for dataset in datasets],
        batch_size=config.batch_size,
        seed=config.seed,
        weights=[item.weight for item in sources],
        orders={number: clips.order for number, clips in enumerate(datasets) if isinstance(clips, StreamedClips)},
        rank=here.rank,
        world_size=here.world_size,
        same_source=config.accumulate,
    )
    return ClipLoader(datasets, sampler, names=[item.name for item in sources])


def _clips(
    config: PretrainConfig, objective: WeightedSum, item: TrainingSource, *, here: Processes
) -> ClipDataset | StreamedClips:
    window = objective.window_for(item.name, num_views=len(item.views), has_actions=item.has_actions)
    episodes = item.train.tolist()
    if isinstance(item.source, ScaledSource):
        return StreamedClips(
            item.source.source,
            window,
            image_size=config.image_size,
            seed=config.seed,
            views=item.views,
            episodes=episodes,
            batch_size=config.batch_size,
            rank=here.rank,
            world_size=here.world_size,
            static=item.static,
        )
    return ClipDataset(item.source, window, seed=config.seed, views=item.views, episodes=episodes, static=item.static)


def _check_lengths(datasets: Sequence[ClipDataset | StreamedClips]) -> None:
    """Refuse windows that fit into no episode: their places would never be trained, without a word."""
    needed = max(dataset.window.min_frames for dataset in datasets)
    asked = [dataset for dataset in datasets if dataset.window.min_frames == needed]
    longest = max(int(dataset.source.lengths[dataset.episode_of_item].max()) for dataset in asked)
    if longest < needed:
        raise ConfigError(
            f"the objectives need {needed} frames in a row, the longest episode has {longest}; "
            "lower num_context, frame_stride or horizons, or train on longer episodes"
        )


def _frame_scores(
    objective: WeightedSum, sources: list[TrainingSource], lpips: Lpips | None, *, run: Run
) -> dict[str, Any]:
    frames = objective.members.get("future_frames")
    if not isinstance(frames, FutureFrames):
        return {}
    scores = score_future_frames(frames, sources, directory=run.path / "future_frames", lpips=lpips)
    return {"future_frames": scores, "tables": [frames_table(scores)] if scores else []}


def _card(config: PretrainConfig, inputs: dict[str, str], cameras: list[str]) -> dict[str, Any]:
    """Return what is said of the encoder beside its architecture."""
    return {
        "trained_on": {
            "inputs": inputs,
            "sources": [str(source.path) for source in config.sources],
            "cameras": cameras,
            "test_fraction": config.test_fraction,
        },
        "objectives": {spec.name: spec.weight for spec in config.objectives},
        "num_steps": config.num_steps,
        "seed": config.seed,
    }


def _check(config: PretrainConfig) -> None:
    for name in ("num_steps", "batch_size", "log_every", "checkpoint_every"):
        if getattr(config, name) < 1:
            raise ConfigError(f"{name} is {getattr(config, name)}; it must be at least 1")
    for name in ("image_size", "feature_dim"):
        if name in config.encoder.params:
            raise ConfigError(f"encoder.params can't hold {name}: it is a setting of its own")
    if config.lpips_weights is not None:
        if all(spec.name != "future_frames" for spec in config.objectives):
            raise ConfigError("lpips_weights scores predicted frames: add the objective future_frames, or leave it out")
        if min(config.image_size) < LPIPS_MIN_SIZE_PX:
            raise ConfigError(
                f"image_size is {config.image_size}; LPIPS needs frames of at least {LPIPS_MIN_SIZE_PX} px"
            )
    if config.learning_rate <= 0:
        raise ConfigError(f"learning_rate is {config.learning_rate}; it must be positive, for example 1e-3")
    if not 0 <= config.test_fraction < 1:
        raise ConfigError(f"test_fraction is {config.test_fraction}; it must be 0-1, below 1")
    if not 0 <= config.average_momentum < 1:
        raise ConfigError(f"average_momentum is {config.average_momentum}; it must be 0-1, below 1")
