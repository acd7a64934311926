"""The runs behind a cell of the benchmark, and the settings that it depends on."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.evaluate import EvaluateConfig
from robossl.config.later import without_later
from robossl.config.load import dump_values
from robossl.config.pretrain import PretrainConfig
from robossl.config.recipe import (
    FURTHER,
    REFERENCES,
    SCRIPTED,
    UNRANDOMIZED,
    RecipeConfig,
    demonstrations_config,
    evaluate_config,
    finetune_config,
    play_config,
    pretrain_config,
    reference_config,
)
from robossl.encoders import save_encoder
from robossl.rollout import Workers
from robossl.runs import digest_path, fingerprint
from robossl.stages.benchmark_cells import Cell
from robossl.stages.benchmark_shifts import PLAIN, measured_under
from robossl.stages.benchmark_world import world
from robossl.stages.chain import Stage, run_stage
from robossl.stages.collect import collect
from robossl.stages.encoders import fresh_encoder
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune
from robossl.stages.pretrain import pretrain

DOMAINS = ("randomized", "heldout")
"""All variants are measured in; the first one is the source, but of what is trained without randomization."""
FRESH = ("random", "scratch")
"""Variants that take the architecture of the pretrained encoder, and not its weights."""
SEED = 5_000_000
"""First seed of the evaluation episodes, which nothing was chosen on."""
STAGES: dict[str, Stage] = {"collect": collect, "pretrain": pretrain, "finetune": finetune}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run on the way to a cell. Cells share steps: those with one output are the same."""

    command: str
    config: Any
    needs: tuple[Path, ...] = ()
    """Outputs of the steps that come before it."""

    @property
    def output(self) -> Path:
        """Where the run goes."""
        return self.config.output

    def run(self, workers: Workers) -> dict[str, Any]:
        """Return the result, from before if it has finished already."""
        evaluated = partial(evaluate, workers=workers)
        return run_stage(self.command, STAGES.get(self.command, evaluated), self.config)


def measure(config: BenchmarkConfig, cell: Cell, workers: Workers) -> dict[str, Any]:
    """Train what the cell needs, as far as it is not there, and return what `evaluate` found."""
    return [step.run(workers) for step in steps(config, cell)][-1]


def steps(config: BenchmarkConfig, cell: Cell) -> list[Step]:
    """Return the runs of a cell in an order in which they can be made; the last one is its evaluation."""
    if cell.variant in SCRIPTED:
        return [_evaluate(config, cell, policy=SCRIPTED[cell.variant], needs=())]
    before = _encoder(config, cell) if is_learned(cell.variant) else []
    recipe, encoder = _recipe(config, cell.num_demonstrations), _weights(config, cell, before)
    shown = _path(config, f"demonstrations{_beside(cell.variant)}", cell)
    policy = _path(config, f"policy-{_named(config, cell)}", cell)
    collecting = demonstrations_config(recipe, cell.task, shown, seed=cell.seed, domain=_source(cell.variant))
    cloning = finetune_config(recipe, shown, encoder, policy, variant=cell.variant, seed=cell.seed)
    return [
        *before,
        Step(command="collect", config=collecting),
        Step(command="finetune", config=cloning, needs=(*(step.output for step in before), shown)),
        _evaluate(config, cell, policy=str(policy / "policy"), needs=(policy,)),
    ]


def is_learned(variant: str) -> bool:
    """Return whether the encoder of a variant is pretrained here, on play of all tasks."""
    return variant == "pretrained" or variant in FURTHER


def _evaluate(config: BenchmarkConfig, cell: Cell, *, policy: str, needs: tuple[Path, ...]) -> Step:
    how = _evaluation(config, cell.task, policy, evaluated(config, cell), cell.variant, cell.shift)
    return Step(command="evaluate", config=replace(how, num_kept=config.num_kept), needs=needs)


def _encoder(config: BenchmarkConfig, cell: Cell) -> list[Step]:
    """Return the runs of a training seed's encoder: its own weights and data order, on the same play for all seeds."""
    play = {task: _folder(config) / f"play{_beside(cell.variant)}-{task}" for task in config.tasks}
    name = f"{cell.variant}-{cell.seed}" if cell.variant in REFERENCES else f"pretrain-{cell.seed}"
    source, output = _source(cell.variant), _folder(config) / name
    how = _pretraining(config.recipe, tuple(play.values()), output, cell.seed, cell.variant)
    collecting = [play_config(config.recipe, task, path, domain=source) for task, path in play.items()]
    playing = [Step(command="collect", config=one) for one in collecting]
    return [*playing, Step(command="pretrain", config=how, needs=tuple(play.values()))]


def _weights(config: BenchmarkConfig, cell: Cell, before: list[Step]) -> Path:
    """Return the encoder that a policy begins with; one that sees the simulator's state has none."""
    if before:
        return before[-1].output / "encoder"
    if cell.variant in FRESH:
        return _architecture(config)
    return config.given.get(cell.variant, Path())


def _evaluation(
    config: BenchmarkConfig, task: str, policy: str, output: Path, variant: str, shift: str | None
) -> EvaluateConfig:
    num, recipe = config.num_eval_episodes, config.recipe
    how = evaluate_config(recipe, task, policy, output, domains=_domains(variant), num_episodes=num, seed=SEED)
    return how if shift is None else measured_under(how, shift)


def _architecture(config: BenchmarkConfig) -> Path:
    """Return the directory of an encoder as pretraining begins with it, whose architecture alone is of use."""
    path = _folder(config) / "architecture"
    if not path.exists():
        save_encoder(fresh_encoder(pretrain_config(config.recipe, (), path, seed=0)), path)
    return path


def _pretraining(recipe: RecipeConfig, play: tuple[Path, ...], output: Path, seed: int, variant: str) -> PretrainConfig:
    if variant in REFERENCES:
        return reference_config(recipe, play, output, seed=seed, name=variant)
    return pretrain_config(recipe, play, output, seed=seed)


def settings(
    config: BenchmarkConfig,
    task: str,
    variant: str,
    seed: int,
    *,
    num_demonstrations: int | None = None,
    shift: str | None = None,
) -> dict[str, Any]:
    """Return what a cell depends on: every setting of the stages behind it, free of where they write and how many
    processes they use, and the worlds that it is trained and tried in."""
    recipe, here = _recipe(config, num_demonstrations), Path()
    stages: dict[str, Any] = {"evaluate": _evaluation(config, task, "", here, variant, shift)}
    source, domains = _source(variant), _domains(variant)
    if variant not in SCRIPTED:
        stages["demonstrations"] = demonstrations_config(recipe, task, here, seed=seed, domain=source)
        stages["finetune"] = finetune_config(recipe, here, here, here, variant=variant, seed=seed)
    if is_learned(variant):
        stages |= {f"play-{name}": play_config(recipe, name, here, domain=source) for name in config.tasks}
        stages["pretrain"] = _pretraining(recipe, tuple(Path(name) for name in config.tasks), here, seed, variant)
    free = ("output", "tracking", "num_workers")
    worlds = config.tasks if is_learned(variant) else (task,)
    plain = {} if shift is None else {PLAIN: world(task, (PLAIN,))}
    given = {"given": digest_path(config.given[variant])} if variant in config.given else {}
    return {"worlds": {name: world(name, domains) for name in worlds} | plain, **given} | {
        name: {key: value for key, value in without_later(dump_values(stage)).items() if key not in free}
        for name, stage in stages.items()
    }


def evaluated(config: BenchmarkConfig, cell: Cell) -> Path:
    """Return where the evaluation of a cell goes."""
    shift = "" if cell.shift is None else f"-shift-{cell.shift}"
    return _path(config, f"evaluate-{_named(config, cell)}{shift}", cell)


def _source(variant: str) -> str:
    """Return the domain that a variant is trained in."""
    return PLAIN if variant == UNRANDOMIZED else DOMAINS[0]


def _domains(variant: str) -> tuple[str, ...]:
    """Return the domains that a variant is measured in, its source first."""
    return tuple(dict.fromkeys((_source(variant), *DOMAINS)))


def _beside(variant: str) -> str:
    """Return what tells data of another source from the usual one by name."""
    return f"-{variant}" if _source(variant) != DOMAINS[0] else ""


def _recipe(config: BenchmarkConfig, num_demonstrations: int | None) -> RecipeConfig:
    return replace(config.recipe, num_demonstrations=num_demonstrations or config.recipe.num_demonstrations)


def _named(config: BenchmarkConfig, cell: Cell) -> str:
    """Return a variant's name, for a given encoder with what tells it from another one that had this name."""
    path = config.given.get(cell.variant)
    return cell.variant if path is None else f"{cell.variant}-{digest_path(path).removeprefix('sha256:')[:8]}"


def _path(config: BenchmarkConfig, stage: str, cell: Cell) -> Path:
    count = "" if cell.num_demonstrations is None else f"-{cell.num_demonstrations}"
    return _folder(config) / f"{stage}-{cell.task}{count}-{cell.seed}"


def _folder(config: BenchmarkConfig) -> Path:
    """Return where the runs lie: another recipe has a folder of its own, so that no policy meets another encoder."""
    return config.output / fingerprint([settings(config, task, "pretrained", 0) for task in config.tasks])[-8:]
