"""`robossl sweep`: a small grid of pretraining settings, run one after the other and ranked by a probe."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from robossl.config.checked import checked
from robossl.config.load import config_path, dump_values, load_config
from robossl.config.pretrain import PretrainConfig
from robossl.config.probe import ProbeConfig
from robossl.config.sweep import SweepConfig, Value
from robossl.data.sources import open_source
from robossl.errors import ConfigError, DataError, closest
from robossl.evaluation.seed_mean import mean_over_seeds
from robossl.runs import Run
from robossl.runs.files import write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.chain import run_stage
from robossl.stages.pretrain import pretrain
from robossl.stages.probe import probe
from robossl.stages.wandb_sweep import write_wandb_sweep

NOTE = (
    "r2: mean over the targets of a linear probe on frozen features, fitted on training episodes of the first source "
    "and tested on its held-out ones; low and high: Student's interval of 95 % over training seeds. rank: effective "
    "rank of the features. Settings that were chosen by this table need other episodes to be measured on."
)


@dataclass(frozen=True, kw_only=True)
class Combination:
    """One point of the grid."""

    settings: Mapping[str, Value]

    @property
    def name(self) -> str:
        """Name of its folder."""
        words = [f"{name.split('.')[-1]}={value}" for name, value in self.settings.items()]
        return re.sub(r"[^\w.=,-]+", "_", ",".join(words)) or "base"


def sweep(config: SweepConfig, *, run: Run) -> dict[str, Any]:
    """Run what is missing, seed by seed, and return the table, the best combination first.

    Raises:
        ConfigError: the grid names a setting that there is not, or a value that it can't have.
        DataError: the first source has nothing to read out by the name of `key`.
    """
    base = load_config(PretrainConfig, config_path(config.base))
    combinations = [
        Combination(settings=dict(zip(config.grid, v, strict=True))) for v in product(*config.grid.values())
    ]
    # all of them before the first is run
    configs = {one.name: _laid_over(base, {**config.settings, **one.settings}) for one in combinations}
    if len(configs) < len(combinations):
        raise ConfigError("two combinations of the grid have one name; leave out values that are written alike")
    for name, one in configs.items():
        if not 0 < one.test_fraction < 1:
            raise ConfigError(
                f"test_fraction is {one.test_fraction} in {name} of {config.base}, but a sweep measures on held-out "
                "episodes; set it between 0 and 1, for example to 0.2"
            )
    if config.wandb_sweep:
        path = write_wandb_sweep(config, run.path / "wandb_sweep.yaml")
        return {"lines": [f"{path} is for: wandb sweep {path}"]}
    for path in {one.sources[0].path for one in configs.values()}:
        if config.key not in (there := open_source(path).features):
            raise DataError(
                f"{path} has no {config.key!r} to read out; it has {', '.join(there) or 'only video'}: --key"
            )
    run.tracker.cut_back(0)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in configs}
    for number, (seed, name) in enumerate(product(config.seeds, configs)):
        with run.time(f"{name}, seed {seed}"):
            result = _measured(replace(configs[name], seed=seed), config, run.path / "cells" / f"{name},seed={seed}")
        found[name].append(result)
        run.tracker.log(number, {f"{name}/r2": result["r2"]})
    table = _table(combinations, found, config)
    write_text(run.path / "table.md", as_markdown(table))
    return {"tables": [table]}


def _measured(config: PretrainConfig, how: SweepConfig, folder: Path) -> dict[str, Any]:
    trained = run_stage("pretrain", pretrain, replace(config, output=folder / "pretrain", tracking=how.tracking))
    first = config.sources[0]
    asked = ProbeConfig(
        output=folder / "probe",
        encoder=str(folder / "pretrain" / "encoder"),
        source=first.path,
        camera=first.views[0] if first.views else open_source(first.path).cameras[0],
        key=how.key,
        test_fraction=config.test_fraction,
        pca=0,
        num_neighbour_queries=0,
        device=config.device,
    )
    rows = run_stage("probe", probe, asked)["tables"][0]["rows"]
    scores = [row[-1] for row in rows if row[-1] is not None and math.isfinite(row[-1])]  # a target may be at rest
    return {
        "r2": sum(scores) / max(1, len(scores)),
        "rank": trained["health/effective_rank"],
        "seconds": trained["seconds"]["pretrain"],
    }


def _table(
    combinations: list[Combination], found: Mapping[str, list[dict[str, Any]]], config: SweepConfig
) -> dict[str, Any]:
    rows = []
    for one in combinations:
        results = found[one.name]
        r2 = mean_over_seeds([result["r2"] for result in results])
        ends = [round(r2.low, 3), round(r2.high, 3)] if len(results) > 1 else [None, None]
        rank, seconds = (round(sum(r[key] for r in results) / len(results), 1) for key in ("rank", "seconds"))
        rows.append([*one.settings.values(), round(r2.value, 3), *ends, len(results), rank, seconds])
    rows.sort(key=lambda row: -row[len(config.grid)])
    columns = [*config.grid, "r2", "low", "high", "seeds", "rank", "seconds"]
    return {"title": f"{config.base}, by what a probe reads out", "columns": columns, "rows": rows, "note": NOTE}


def _laid_over(base: PretrainConfig, settings: Mapping[str, Value]) -> PretrainConfig:
    values = dump_values(base)
    for name, value in settings.items():
        _set(values, name, value)
    return checked(TypeAdapter(PretrainConfig), values, where="sweep")


def _set(values: Any, name: str, value: Value) -> None:
    """Set `part.0.name` in nested dicts and lists; arguments of objectives and encoders may be new."""
    *parents, last = name.split(".")
    for part in parents:
        values = values[_place(values, part, name)]
    if isinstance(values, dict) and parents[-1:] == ["params"]:
        values[last] = value
    else:
        values[_place(values, last, name)] = value


def _place(values: Any, part: str, name: str) -> str | int:
    places = dict(_places(values))
    if part not in places:
        allowed = closest(part, places) or f"; there are {', '.join(places) or 'none'}"
        raise ConfigError(f"sweep: there is no setting {name!r}: no {part!r}{allowed}")
    return places[part]


def _places(values: Any) -> Iterator[tuple[str, str | int]]:
    if isinstance(values, dict):
        yield from ((key, key) for key in values)
    elif isinstance(values, list):
        yield from ((str(number), number) for number in range(len(values)))
