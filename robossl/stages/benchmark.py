"""`robossl benchmark`: encoders compared by the success of policies cloned on them, over several training seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    NAMES,
    REFERENCES,
    SCRIPTED,
    TRAINED,
    UNRANDOMIZED,
    RecipeConfig,
    demonstrations_config,
    evaluate_config,
    finetune_config,
    play_config,
    pretrain_config,
    reference_config,
)
from robossl.config.transfer import check_shifts
from robossl.encoders import save_encoder
from robossl.errors import ConfigError
from robossl.report import build_report
from robossl.rollout import Workers
from robossl.runs import Run, digest_path, fingerprint
from robossl.runs.files import write_text
from robossl.stages.benchmark_agreement import agreements
from robossl.stages.benchmark_cells import Cell, as_markdown, by_demonstrations, table
from robossl.stages.benchmark_checks import check_encoders, open_folder, refuse_others
from robossl.stages.benchmark_pairs import differences, retentions
from robossl.stages.benchmark_shifts import NOTHING, PLAIN, measured_under, shift_table, world_under
from robossl.stages.benchmark_world import world
from robossl.stages.chain import check_tasks, run_stage
from robossl.stages.collect import collect
from robossl.stages.encoders import fresh_encoder
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune
from robossl.stages.pretrain import pretrain

DOMAINS = ("randomized", "heldout")
"""All variants are measured in; the first one is the source, but of what is trained without randomization."""
LABELS = NAMES | FURTHER
BEST = "pretrained"
"""What the others are compared with where it takes part; else it is the first that is given, or named."""
FRESH = ("random", "scratch")
"""Variants that take the architecture of the pretrained encoder, and not its weights."""
SEED = 5_000_000
"""First seed of the evaluation episodes, which nothing was chosen on."""


def benchmark(config: BenchmarkConfig, *, run: Run) -> dict[str, Any]:
    """Fill the cells that are missing, seed by seed, and return the table of all.

    It is also written as Markdown beside the cells; where the folder holds other cells too, to `table.md` in the output
    instead, so that no table of a part takes the place of one of all.
    """
    check_tasks(config.tasks)
    check_encoders(config)
    check_shifts(config.shifts)
    if config.fast:
        encoders = tuple(name for name in config.encoders if name not in FURTHER)
        config = replace(config, encoders=encoders, more_demonstrations=(), shifts=(), seeds=config.seeds[:1])
    open_folder(config.cells)
    cells = _cells(config)
    if not (config.only_finished or config.renew):
        refuse_others(cells, config.cells)
    run.tracker.cut_back(0)  # cells that are there are logged again
    found: list[tuple[Cell, Mapping[str, Any]]] = []
    with Workers(config.recipe.num_workers) as workers:
        for cell in cells:
            with run.time(f"{cell.name}, seed {cell.seed}"):
                measure = partial(_measure, config, cell, workers)
                result = cell.read(config.cells) if config.only_finished else cell.get(config.cells, measure)
            if result is None:
                continue
            found.append((cell, result))
            rates = {name: domain["success_rate"] for name, domain in result["domains"].items()}
            run.tracker.log(len(found) - 1, {f"{cell.name}/{name}": rate for name, rate in rates.items()})
    if not found:
        raise ConfigError(f"no cell in {config.cells} is finished with these settings; leave only_finished out")
    tables = _tables(config, sorted(found, key=lambda item: config.tasks.index(item[0].task)))
    path = _table_path(config, cells)
    write_text(path, "\n".join(as_markdown(one) for one in tables))
    page = _page(config, tables, [cell for cell, _ in found])
    further = f"see {path}; the whole benchmark with --only-finished writes that of all cells in {config.cells}"
    more = {} if path.parent == config.cells.parent else {"next": further}
    return {"tables": tables, "report": str(page), **more}


def _table_path(config: BenchmarkConfig, cells: Sequence[Cell]) -> Path:
    """Return where the table goes: beside the cells, but where these are more than the run's own to its output."""
    own = {cell.path(config.cells) for cell in cells}
    is_whole = config.only_finished or own.issuperset(config.cells.glob("*.json"))
    return config.cells.with_suffix(".md") if is_whole else config.output / "table.md"


def _page(config: BenchmarkConfig, tables: Sequence[Mapping[str, Any]], cells: Sequence[Cell]) -> Path:
    """Write the report: all tables, and the episodes of the first seed's cells, as far as they were measured here."""
    first = [cell for cell in cells if cell.variant in SCRIPTED or cell.seed == config.seeds[0]]
    here = {path: cell for cell in first if (path := _evaluated(config, cell)).is_dir()}
    return build_report(
        list(here),
        config.output / "report.html",
        title="robossl benchmark",
        labels={path.name: cell.label(LABELS) for path, cell in here.items()},
        cells={path.name: (cell.label(LABELS), world_under(cell.shift)) for path, cell in here.items() if cell.shift},
        tables=tables,
    )


def _tables(config: BenchmarkConfig, cells: list[tuple[Cell, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return all tables that the cells are enough for."""
    shifted = [item for item in cells if item[0].shift is not None]
    found = [item for item in cells if item[0].shift is None]
    best = _best(config)
    others = [name for name in _encoders(config) if name not in (best, "state")]
    usual, scripted = config.recipe.num_demonstrations, tuple(SCRIPTED)
    tables = [
        table(found, labels=LABELS),
        retentions(found, target=DOMAINS[1], labels=LABELS),
        differences(found, tasks=config.tasks, of=best, against=others, labels=LABELS),
        agreements(found, source=DOMAINS[0], target=DOMAINS[1]),
        by_demonstrations(found, tasks=config.tasks, usual=usual, leave_out=scripted, labels=LABELS),
        shift_table(shifted, of=LABELS.get(best, best)) if shifted else None,
    ]
    return [one for one in tables if one is not None and one["rows"]]


def _encoders(config: BenchmarkConfig) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*config.encoders, *config.given)))


def _best(config: BenchmarkConfig) -> str:
    """Return the variant that the others are compared with, and that meets the single shifts."""
    named = (*config.given, *config.encoders)
    return BEST if BEST in named else next((name for name in named if name != "state"), BEST)


def _cells(config: BenchmarkConfig) -> list[Cell]:
    """Return all cells in the order in which they are filled: what a first look needs comes first."""
    encoders = _encoders(config)
    more = [(count, name) for count in config.more_demonstrations for name in encoders if name in TRAINED]
    policies: list[tuple[int | None, str]] = [*((None, name) for name in encoders), *more]
    trained = [(task, *policy, seed, None) for seed in config.seeds for task in config.tasks for policy in policies]
    scripted = [(task, None, variant, 0, None) for task in config.tasks for variant in SCRIPTED]
    shifts = (NOTHING, *config.shifts) if config.shifts else ()
    shifted = [(task, None, _best(config), config.seeds[0], shift) for task in config.tasks for shift in shifts]
    return [
        Cell(
            task=task,
            variant=variant,
            seed=seed,
            num_demonstrations=count,
            shift=shift,
            settings=_settings(config, task, variant, seed, num_demonstrations=count, shift=shift),
        )
        for task, count, variant, seed, shift in [*trained, *scripted, *shifted]
    ]


def _settings(
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
    learned = variant == "pretrained" or variant in FURTHER
    if learned:
        stages |= {f"play-{name}": play_config(recipe, name, here, domain=source) for name in config.tasks}
        stages["pretrain"] = _pretraining(recipe, tuple(Path(name) for name in config.tasks), here, seed, variant)
    free = ("output", "tracking", "num_workers")
    worlds = config.tasks if learned else (task,)
    plain = {} if shift is None else {PLAIN: world(task, (PLAIN,))}
    given = {"given": digest_path(config.given[variant])} if variant in config.given else {}
    return {"worlds": {name: world(name, domains) for name in worlds} | plain, **given} | {
        name: {key: value for key, value in without_later(dump_values(stage)).items() if key not in free}
        for name, stage in stages.items()
    }


def _measure(config: BenchmarkConfig, cell: Cell, workers: Workers) -> dict[str, Any]:
    """Train what the cell needs, as far as it is not there, and evaluate."""
    policy = SCRIPTED[cell.variant] if cell.variant in SCRIPTED else str(_policy(config, cell) / "policy")
    output = _evaluated(config, cell)
    how = _evaluation(config, cell.task, policy, output, cell.variant, cell.shift)
    how = replace(how, num_kept=config.num_kept)
    return run_stage("evaluate", partial(evaluate, workers=workers), how)


def _evaluation(
    config: BenchmarkConfig, task: str, policy: str, output: Path, variant: str, shift: str | None
) -> EvaluateConfig:
    num, recipe = config.num_eval_episodes, config.recipe
    how = evaluate_config(recipe, task, policy, output, domains=_domains(variant), num_episodes=num, seed=SEED)
    return how if shift is None else measured_under(how, shift)


def _source(variant: str) -> str:
    """Return the domain that a variant is trained in."""
    return PLAIN if variant == UNRANDOMIZED else DOMAINS[0]


def _domains(variant: str) -> tuple[str, ...]:
    """Return the domains that a variant is measured in, its source first."""
    return tuple(dict.fromkeys((_source(variant), *DOMAINS)))


def _policy(config: BenchmarkConfig, cell: Cell) -> Path:
    recipe = _recipe(config, cell.num_demonstrations)
    encoder = config.given.get(cell.variant) or (Path() if cell.variant == "state" else _encoder(config, cell))
    demonstrations, domain = _path(config, f"demonstrations{_beside(cell.variant)}", cell), _source(cell.variant)
    how = demonstrations_config(recipe, cell.task, demonstrations, seed=cell.seed, domain=domain)
    run_stage("collect", collect, how)
    policy = _path(config, f"policy-{_named(config, cell)}", cell)
    cloning = finetune_config(recipe, demonstrations, encoder, policy, variant=cell.variant, seed=cell.seed)
    run_stage("finetune", finetune, cloning)
    return policy


def _encoder(config: BenchmarkConfig, cell: Cell) -> Path:
    """Return the encoder of a training seed: its own weights and data order, on the same play for all seeds."""
    seed, variant = cell.seed, cell.variant
    if variant in FRESH:
        return _architecture(config)
    play = tuple(_folder(config) / f"play{_beside(variant)}-{task}" for task in config.tasks)
    for task, path in zip(config.tasks, play, strict=True):
        run_stage("collect", collect, play_config(config.recipe, task, path, domain=_source(variant)))
    name = f"{variant}-{seed}" if variant in REFERENCES else f"pretrain-{seed}"
    how = _pretraining(config.recipe, play, _folder(config) / name, seed, variant)
    run_stage("pretrain", pretrain, how)
    return how.output / "encoder"


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


def _beside(variant: str) -> str:
    """Return what tells data of another source from the usual one by name."""
    return f"-{variant}" if _source(variant) != DOMAINS[0] else ""


def _recipe(config: BenchmarkConfig, num_demonstrations: int | None) -> RecipeConfig:
    return replace(config.recipe, num_demonstrations=num_demonstrations or config.recipe.num_demonstrations)


def _evaluated(config: BenchmarkConfig, cell: Cell) -> Path:
    shift = "" if cell.shift is None else f"-shift-{cell.shift}"
    return _path(config, f"evaluate-{_named(config, cell)}{shift}", cell)


def _named(config: BenchmarkConfig, cell: Cell) -> str:
    """Return a variant's name, for a given encoder with what tells it from another one that had this name."""
    path = config.given.get(cell.variant)
    return cell.variant if path is None else f"{cell.variant}-{digest_path(path).removeprefix('sha256:')[:8]}"


def _path(config: BenchmarkConfig, stage: str, cell: Cell) -> Path:
    count = "" if cell.num_demonstrations is None else f"-{cell.num_demonstrations}"
    return _folder(config) / f"{stage}-{cell.task}{count}-{cell.seed}"


def _folder(config: BenchmarkConfig) -> Path:
    """Return where the runs lie: another recipe has a folder of its own, so that no policy meets another encoder."""
    return config.output / fingerprint([_settings(config, task, "pretrained", 0) for task in config.tasks])[-8:]
