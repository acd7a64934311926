"""`robossl benchmark`: encoders compared by the success of policies cloned on them, over several training seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.recipe import FURTHER, NAMES, SCRIPTED, TRAINED
from robossl.config.transfer import check_shifts
from robossl.errors import ConfigError
from robossl.report import build_report
from robossl.rollout import Workers
from robossl.runs import Run
from robossl.runs.files import write_text
from robossl.stages.benchmark_agreement import agreements
from robossl.stages.benchmark_cells import Cell, as_markdown, by_demonstrations, table
from robossl.stages.benchmark_checks import check_encoders, open_folder, refuse_others
from robossl.stages.benchmark_jobs import fill
from robossl.stages.benchmark_pairs import differences, retentions
from robossl.stages.benchmark_runs import DOMAINS, evaluated, measure, settings
from robossl.stages.benchmark_shifts import NOTHING, shift_table, world_under
from robossl.stages.chain import check_tasks

LABELS = NAMES | FURTHER
BEST = "pretrained"
"""What the others are compared with where it takes part; else it is the first that is given, or named."""


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
    if config.num_jobs != 1 and not config.only_finished:
        with run.time("cells side by side"):
            fill(config, [cell for cell in cells if cell.read(config.cells) is None])
    found: list[tuple[Cell, Mapping[str, Any]]] = []
    with Workers(config.recipe.num_workers) as workers:
        for cell in cells:
            with run.time(f"{cell.name}, seed {cell.seed}"):
                now = partial(measure, config, cell, workers)
                result = cell.read(config.cells) if config.only_finished else cell.get(config.cells, now)
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
    here = {path: cell for cell in first if (path := evaluated(config, cell)).is_dir()}
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
            settings=settings(config, task, variant, seed, num_demonstrations=count, shift=shift),
        )
        for task, count, variant, seed, shift in [*trained, *scripted, *shifted]
    ]
