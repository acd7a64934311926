"""`robossl benchmark`: encoders compared by the success of policies cloned on them, over several training seeds."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.load import dump_values
from robossl.config.recipe import (
    NAMES,
    RENDERER,
    SCRIPTED,
    TRAINED,
    demonstrations_config,
    evaluate_config,
    finetune_config,
    play_config,
    pretrain_config,
)
from robossl.errors import ConfigError
from robossl.rollout import Workers
from robossl.runs import Run, fingerprint
from robossl.runs.files import write_text
from robossl.stages.benchmark_cells import Cell, as_markdown, differences, table
from robossl.stages.benchmark_world import world
from robossl.stages.chain import check_tasks, run_stage
from robossl.stages.collect import collect
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune
from robossl.stages.pretrain import pretrain

DOMAINS = ("randomized", "heldout")
LATER: dict[str, Any] = {
    "renderer": RENDERER,
    "frames": "cache",
    "shots": "split",
    "static_weight": 1.0,
    "rerender": False,
    "num_looks": 2,
    "look_domain": "randomized",
    "randomization": "",
    "axes": {},
    "adr": False,
    "adr_success": [0.5, 0.9],
    "head": "mlp",
    "num_observation_steps": 1,
    "sampling_steps": 10,
    "lora_rank": 8,
    "layer_decay": 1.0,
    "ramp_steps": 0,
    "start_weight": 0.0,
    "schedule": "cosine",
    "final_learning_rate": 0.0,
    "accumulate": 1,
    "compile": False,
    "weights": None,
}
"""Settings younger than the first cells, with the value that leaves a stage as it was: then no part of a cell's key."""
SEED = 5_000_000
"""First seed of the evaluation episodes, which nothing was chosen on."""


def benchmark(config: BenchmarkConfig, *, run: Run) -> dict[str, Any]:
    """Fill the cells that are missing, seed by seed, and return the table of all; also as Markdown beside the cells."""
    check_tasks(config.tasks)
    _open_folder(config.cells)
    run.tracker.cut_back(0)  # cells that are there are logged again
    found: list[tuple[Cell, Mapping[str, Any]]] = []
    with Workers(config.recipe.num_workers) as workers:
        for cell in _cells(config):
            with run.time(f"{cell.variant}, seed {cell.seed}"):
                result = cell.get(config.cells, partial(_measure, config, cell, workers))
            found.append((cell, result))
            rates = {name: domain["success_rate"] for name, domain in result["domains"].items()}
            run.tracker.log(
                len(found) - 1, {f"{cell.task}/{cell.variant}/{name}": rate for name, rate in rates.items()}
            )
    found.sort(key=lambda item: config.tasks.index(item[0].task))
    tables = [
        table(found, labels=NAMES),
        differences(found, of="pretrained", against=("random", "scratch"), labels=NAMES),
    ]
    write_text(config.cells.with_suffix(".md"), "\n".join(as_markdown(one) for one in tables))
    return {"tables": tables}


def _open_folder(cells: Path) -> None:
    """Refuse a folder that no cell can be written to before hours of work, not after them."""
    cells.mkdir(parents=True, exist_ok=True)
    if not os.access(cells, os.W_OK):
        raise ConfigError(f"the folder of cells {cells} can't be written to; name another one: --cells=DIR")


def _cells(config: BenchmarkConfig) -> list[Cell]:
    """Return all cells in the order in which they are filled: what a first look needs comes first."""
    trained = [(task, variant, seed) for seed in config.seeds for task in config.tasks for variant in TRAINED]
    scripted = [(task, variant, 0) for task in config.tasks for variant in SCRIPTED]
    return [
        Cell(task=task, variant=variant, seed=seed, settings=_settings(config, task, variant, seed))
        for task, variant, seed in [*trained, *scripted]
    ]


def _settings(config: BenchmarkConfig, task: str, variant: str, seed: int) -> dict[str, Any]:
    """Return what a cell depends on: every setting of the stages behind it, free of where they write and how many
    processes they use, and the worlds that it is trained and tried in."""
    recipe, here = config.recipe, Path()
    stages: dict[str, Any] = {
        "evaluate": evaluate_config(
            recipe, task, "", here, domains=DOMAINS, num_episodes=config.num_eval_episodes, seed=SEED
        )
    }
    if variant not in SCRIPTED:
        stages["demonstrations"] = demonstrations_config(recipe, task, here, seed=seed)
        stages["finetune"] = finetune_config(recipe, here, here, here, variant=variant, seed=seed)
    if variant == "pretrained":
        stages |= {f"play-{name}": play_config(recipe, name, here) for name in config.tasks}
        stages["pretrain"] = pretrain_config(recipe, tuple(Path(name) for name in config.tasks), here, seed=seed)
    free = ("output", "tracking", "num_workers")
    worlds = config.tasks if variant == "pretrained" else (task,)
    return {"worlds": {name: world(name, DOMAINS) for name in worlds}} | {
        name: {key: value for key, value in without_later(dump_values(stage)).items() if key not in free}
        for name, stage in stages.items()
    }


def without_later(value: Any) -> Any:
    """Return settings without those of `LATER`, however deep they lie."""
    match value:
        case dict():
            return {key: without_later(inner) for key, inner in value.items() if LATER.get(key, ...) != inner}
        case list():
            return [without_later(inner) for inner in value]
        case _:
            return value


def _measure(config: BenchmarkConfig, cell: Cell, workers: Workers) -> dict[str, Any]:
    """Train what the cell needs, as far as it is not there, and evaluate."""
    policy = SCRIPTED[cell.variant] if cell.variant in SCRIPTED else str(_policy(config, cell) / "policy")
    how = evaluate_config(
        config.recipe,
        cell.task,
        policy,
        _path(config, f"evaluate-{cell.variant}", cell),
        domains=DOMAINS,
        num_episodes=config.num_eval_episodes,
        seed=SEED,
    )
    return run_stage("evaluate", partial(evaluate, workers=workers), how)


def _policy(config: BenchmarkConfig, cell: Cell) -> Path:
    encoder = _encoder(config, cell.seed)
    demonstrations = _path(config, "demonstrations", cell)
    how = demonstrations_config(config.recipe, cell.task, demonstrations, seed=cell.seed)
    run_stage("collect", collect, how)
    policy = _path(config, f"policy-{cell.variant}", cell)
    cloning = finetune_config(config.recipe, demonstrations, encoder, policy, variant=cell.variant, seed=cell.seed)
    run_stage("finetune", finetune, cloning)
    return policy


def _encoder(config: BenchmarkConfig, seed: int) -> Path:
    """Return the encoder of a training seed: its own weights and data order, on the same play for all seeds."""
    play = tuple(_folder(config) / f"play-{task}" for task in config.tasks)
    for task, path in zip(config.tasks, play, strict=True):
        run_stage("collect", collect, play_config(config.recipe, task, path))
    how = pretrain_config(config.recipe, play, _folder(config) / f"pretrain-{seed}", seed=seed)
    run_stage("pretrain", pretrain, how)
    return how.output / "encoder"


def _path(config: BenchmarkConfig, stage: str, cell: Cell) -> Path:
    return _folder(config) / f"{stage}-{cell.task}-{cell.seed}"


def _folder(config: BenchmarkConfig) -> Path:
    """Return where the runs lie: another recipe has a folder of its own, so that no policy meets another encoder."""
    return config.output / fingerprint([_settings(config, task, "pretrained", 0) for task in config.tasks])[-8:]
