"""`robossl finetune`: clone demonstrations on an encoder, and save a policy that needs nothing else."""

from typing import Any

import torch

from robossl.config.finetune import FinetuneConfig
from robossl.data.frame_cache import CachedSource
from robossl.data.sources import EpisodeSource, LeRobotSource
from robossl.data.splits import refuse_heldout
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.policies.augment import check_shift
from robossl.policies.behaviour_cloning import BehaviourCloning, CloningRecipe, furthest_action
from robossl.policies.demonstrations import (
    ACTION_KEY,
    GOAL_VIEW,
    INTENDED_ACTION_KEY,
    Demonstrations,
    read_demonstrations,
)
from robossl.policies.heads import HeadSpec, check_hidden
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import ExecutionSpec, save_policy
from robossl.runs import Run
from robossl.stages.encoders import RANDOM, open_encoder, warn_of_new_cameras
from robossl.stages.progress import progress_bar
from robossl.training import pick_device

STATE = "state"


def finetune(config: FinetuneConfig, *, run: Run) -> dict[str, Any]:
    """Fit the policy, save it to the run's `policy/`, and return its last metrics.

    Raises:
        ConfigError: values that do not go together.
        DataError: the demonstrations are too few, of a held-out domain, or lack what the policy sees.
    """
    _check(config)
    device = pick_device(config.device)
    source: EpisodeSource = LeRobotSource(config.demonstrations)
    refuse_heldout(source, name=config.demonstrations)
    inputs = {"demonstrations": source.digest}
    encoder: Encoder | None = None
    name = RANDOM if config.mode == "scratch" else config.encoder
    if name != STATE:
        encoder, inputs["encoder"] = open_encoder(name, architecture=config.architecture, seed=config.seed)
        check_shift(config.shift_px, encoder.image_size)
        warn_of_new_cameras(name, [camera for camera in config.cameras if camera != GOAL_VIEW])
    trained_on = _trained_on(source, config)
    with run.time("read demonstrations"):
        demonstrations = _read(source, encoder, config)
    network = _build(demonstrations, encoder, config)
    with run.time("finetune"):
        run.tracker.cut_back(0)  # a run that was stopped fits from the start: it takes seconds
        metrics = _fit(network, demonstrations, config, device=device, run=run)
    save_policy(
        network.cpu(),
        run.policy,
        execution=ExecutionSpec(
            execution=config.execution, execute_steps=config.execute_steps, rate=config.ensemble_rate
        ),
        card_extra={"trained_on": trained_on, "inputs": inputs, "mode": config.mode, "encoder": name},
    )
    run.tracker.log_artifact("policy", kind="policy", path=run.policy, inputs=inputs)
    further = {} if trained_on["env_id"] else {"next": "a loop of your own: docs/transfer.md, A robot of your own"}
    found = {"policy": str(run.policy), "steps_of_demonstrations": len(demonstrations), **further}
    return {**found, "inputs": inputs, **metrics}


def _read(source: EpisodeSource, encoder: Encoder | None, config: FinetuneConfig) -> Demonstrations:
    """Read what the policy sees, with frames at the encoder's size, so that shifts mean the same for every data set."""
    return read_demonstrations(
        source if encoder is None else CachedSource(source, encoder.image_size),
        num_demonstrations=config.num_demonstrations,
        cameras=() if encoder is None else config.cameras,
        chunk_length=config.chunk_length,
        state=encoder is None,
        second_look=config.second_look,
        action_key=ACTION_KEY if config.labels == "executed" else INTENDED_ACTION_KEY,
    )


def _build(demonstrations: Demonstrations, encoder: Encoder | None, config: FinetuneConfig) -> PolicyNetwork:
    state, bounds = demonstrations.environment_state, demonstrations.action_bounds
    low, high = ((), ()) if bounds is None else (tuple(row.tolist()) for row in bounds)
    head = HeadSpec(
        proprio_dim=demonstrations.proprio.shape[1] if config.proprio else 0,
        state_dim=0 if state is None else state.shape[1],
        action_dim=demonstrations.chunks.shape[2],
        chunk_length=config.chunk_length,
        hidden=config.hidden,
        dropout=config.dropout,
        kind=config.head,
        sampling_steps=config.sampling_steps,
        temperature=config.temperature,
        furthest=max(HeadSpec.furthest, furthest_action(demonstrations) if config.head == "diffusion" else 0.0),
        num_observation_steps=config.num_observation_steps,
        action_low=low,
        action_high=high,
    )
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        return PolicyNetwork(head, encoder=encoder, cameras=() if encoder is None else config.cameras)


def _fit(
    network: PolicyNetwork, demonstrations: Demonstrations, config: FinetuneConfig, *, device: torch.device, run: Run
) -> dict[str, float]:
    names = CloningRecipe.__dataclass_fields__.keys() - {"log_every"}
    recipe = CloningRecipe(**{name: getattr(config, name) for name in names})
    with progress_bar() as progress, torch.random.fork_rng():
        torch.manual_seed(config.seed)  # dropout draws from torch's own generator
        task = progress.add_task("finetune", total=config.num_steps)
        trainer = BehaviourCloning(network, demonstrations, mode=config.mode, recipe=recipe, device=device)

        def on_step(step: int, metrics: dict[str, float]) -> None:
            run.tracker.log(step, {f"finetune/{name}": value for name, value in metrics.items()})
            progress.update(task, completed=step + 1)

        return trainer.fit(on_step)


def _trained_on(source: EpisodeSource, config: FinetuneConfig) -> dict[str, Any]:
    """Return what evaluation needs to know: the env, its pictures and actions, and seeds that it must not use."""
    count = min(config.num_demonstrations, len(source.lengths))
    records = [source.episode_metadata(episode) for episode in range(count)]
    return {
        "env_id": records[0].get("env_id"),
        "domains": sorted({record["domain"] for record in records if "domain" in record}),
        "renderers": sorted({record["renderer"] for record in records if "renderer" in record}),
        "seeds": [record["seed"] for record in records if "seed" in record],
        "fps_hz": float(source.fps_hz),
        "image_size": _image_size(source),
        **{name: records[0][name] for name in ("action_scale", "environment_state_names") if name in records[0]},
    }


def _image_size(source: EpisodeSource) -> int | list[int]:
    """Return the side of the first camera's frames [px], or height and width where they are not square."""
    height_px, width_px = source.frames(0, [0], source.cameras[0]).shape[-2:]
    return height_px if height_px == width_px else [height_px, width_px]


def _check(config: FinetuneConfig) -> None:
    if config.mode != "frozen" and config.encoder == STATE:
        raise ConfigError("encoder 'state' has no weights to learn; use mode frozen")
    if config.encoder == STATE and config.num_observation_steps > 1:
        raise ConfigError("num_observation_steps counts pictures, and encoder 'state' sees none; leave it at 1")
    if len(set(config.cameras)) < len(config.cameras):
        raise ConfigError(f"cameras names one twice: {', '.join(config.cameras)}; name each once")
    check_hidden(config.head, config.hidden)
    if config.head == "recurrent" and config.num_observation_steps == 1:
        raise ConfigError("head 'recurrent' needs steps to go along; set num_observation_steps to 2 or more")
    for name in ("num_steps", "batch_size", "chunk_length"):
        if getattr(config, name) < 1:
            raise ConfigError(f"{name} is {getattr(config, name)}; it must be at least 1")
    if not 1 <= config.execute_steps <= config.chunk_length:
        raise ConfigError(
            f"execute_steps is {config.execute_steps}; it must be 1 to chunk_length={config.chunk_length}"
        )
    if not 0 <= config.dropout < 1:
        raise ConfigError(f"dropout is {config.dropout}; it must lie in 0-1, below 1")
