"""The benchmark's cells outlive their runs: measured once, again when a setting changes, and joined into one table."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.recipe import NAMES, SCRIPTED, TRAINED, RecipeConfig
from robossl.encoders import build_encoder, save_encoder
from robossl.errors import ConfigError, RobosslError
from robossl.evaluation.intervals import wilson
from robossl.report.retention import kept_of
from robossl.rollout import EnvSpec, rollout
from robossl.runs import open_run
from robossl.stages import benchmark as stage
from robossl.stages import benchmark_world
from robossl.stages.benchmark import DOMAINS, benchmark
from robossl.stages.benchmark_cells import COLUMNS, Cell, as_markdown, by_demonstrations, table
from robossl.stages.benchmark_shifts import PLAIN
from robossl.stages.benchmark_world import world
from robossl.types import Episode

Measure = Callable[..., dict[str, Any]]


def measured(*successes: int, domains: tuple[str, ...] = ("randomized",)) -> dict[str, Any]:
    """Return what `evaluate` would: an episode for each number, 1 solved and 0 not."""
    episodes = [{"seed": seed, "success": bool(value), "steps": 9} for seed, value in enumerate(successes)]
    rate = sum(successes) / len(successes)
    low, high = wilson(sum(successes), len(successes))
    cell = {"renderer": "tiny", "n": len(successes), "success_rate": rate, "low": low, "high": high}
    cell["episodes"] = episodes
    return {"domains": dict.fromkeys(domains, cell), "tables": ["not kept"]}


def cell(variant: str = "pretrained", seed: int = 0, **settings: Any) -> Cell:
    return Cell(task="reach", variant=variant, seed=seed, settings=settings)


def never() -> dict[str, Any]:
    raise AssertionError("a cell that is there was measured again")


def test_a_cell_that_is_there_is_not_measured_again(tmp_path: Path) -> None:
    first = cell(num_steps=3).get(tmp_path, lambda: measured(1, 0))
    assert cell(num_steps=3).get(tmp_path, never) == first
    assert json.loads((tmp_path / "reach-pretrained-0.json").read_text())["settings"] == {"num_steps": 3}
    assert "tables" not in first


def test_changed_settings_another_seed_and_another_version_measure_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell(num_steps=3).get(tmp_path, lambda: measured(1))
    assert cell(num_steps=4).read(tmp_path) is None
    assert cell(num_steps=3, seed=1).read(tmp_path) is None
    assert cell("random", num_steps=3).read(tmp_path) is None
    monkeypatch.setattr("robossl.stages.benchmark_cells.__version__", "9.9.9")
    assert cell(num_steps=3).read(tmp_path) is None
    again = cell(num_steps=4).get(tmp_path, lambda: measured(0))
    assert again["domains"]["randomized"]["success_rate"] == 0
    assert cell(num_steps=4).read(tmp_path) == again


def test_a_failed_measurement_leaves_no_cell(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        cell().get(tmp_path, lambda: {"domains": 1 / 0})
    assert list(tmp_path.iterdir()) == []


def test_the_table_joins_training_seeds() -> None:
    results = [measured(1, 1, 0, 1), measured(1, 0, 0, 1), measured(1, 1, 1, 1)]
    found = [(cell(seed=seed), result) for seed, result in enumerate(results)]
    joined = table([*found, (cell("expert"), measured(1, 1, 1, 0))], labels=NAMES)
    assert joined["columns"] == list(COLUMNS)
    trained, scripted = (dict(zip(COLUMNS, row, strict=True)) for row in joined["rows"])
    assert (trained["encoder"], trained["n"], trained["each_seed"]) == ("pretrained, frozen", 12, "0.75 0.50 1.00")
    assert trained["success_rate"] == 0.75
    low, high = wilson(9, 12)
    assert trained["low"] <= round(low, 3), "never narrower than Wilson's"
    assert trained["high"] >= round(high, 3)
    assert (scripted["encoder"], scripted["n"]) == ("none: scripted expert", 4)
    assert (scripted["low"], scripted["high"]) == tuple(round(value, 3) for value in wilson(3, 4))


def test_renderers_that_were_mixed_are_all_named() -> None:
    other = measured(1, 1)
    other["domains"]["randomized"] = other["domains"]["randomized"] | {"renderer": "mujoco-egl"}
    rows = table([(cell(), measured(1, 1)), (cell(seed=1), other)], labels=NAMES)["rows"]
    assert [row[3] for row in rows] == ["mujoco-egl+tiny"]


def test_success_by_demonstrations_is_averaged_over_tasks_that_were_all_measured() -> None:
    outcomes = {("reach", None): (1, 1), ("push", None): (1, 0), ("reach", 10): (0, 0)}
    cells = [
        (replace(cell(seed=seed), task=task, num_demonstrations=count), measured(*found))
        for (task, count), found in outcomes.items()
        for seed in (0, 1)
    ]
    scripted = (cell("expert"), measured(1, 1))
    made = by_demonstrations([*cells, scripted], usual=25, leave_out=("expert",), labels={"pretrained": "ours"})
    assert made is not None
    rows = {(row[0], row[2]): dict(zip(made["columns"], row, strict=True)) for row in made["rows"]}
    assert {key: row["success_rate"] for key, row in rows.items()} == {
        ("reach", 25): 1.0, ("push", 25): 0.5, ("reach", 10): 0.0, ("all", 25): 0.75,
    }  # fmt: skip
    assert {row["encoder"] for row in rows.values()} == {"ours"}
    assert (rows["all", 25]["training_seeds"], rows["all", 25]["n"]) == (2, 8)
    assert all(row["low"] <= row["success_rate"] <= row["high"] for row in rows.values())
    few = [item for item in cells if item[0].num_demonstrations is None]
    assert by_demonstrations(few, usual=25, leave_out=(), labels={}) is None  # nothing to plot against


def test_markdown_has_a_line_a_row_under_a_header() -> None:
    rows = [["reach", 4], ["push", 8]]
    text = as_markdown({"title": "Made", "columns": ["task", "n"], "rows": rows, "note": "made up"})
    assert text == "**Made**\n\n| task | n |\n|---|---|\n| reach | 4 |\n| push | 8 |\n\nmade up\n"


@pytest.fixture
def config(tmp_path: Path) -> BenchmarkConfig:
    return BenchmarkConfig(
        output=tmp_path / "runs",
        cells=tmp_path / "cells",
        recipe=RecipeConfig(num_workers=1),
        tasks=("reach",),
        seeds=(0, 1),
        num_eval_episodes=4,
    )


@pytest.fixture(autouse=True)
def worlds(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What each task's env is said to do; looked at for real in a test of its own."""
    known = {"reach": "as it was", "push": "as it was"}
    monkeypatch.setattr(stage, "world", lambda task, domains: known[task])
    return known


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """The cells that were measured; the measurement itself is left out."""
    seen: list[tuple[str, str, int]] = []

    def measure(config: BenchmarkConfig, one: Cell, workers: Any) -> dict[str, Any]:
        seen.append((one.task, one.variant, one.seed))
        return measured(1, 1, 0, one.seed, domains=DOMAINS if one.shift is None else (PLAIN,))

    monkeypatch.setattr(stage, "_measure", measure)
    return seen


def run(config: BenchmarkConfig) -> dict[str, Any]:
    with open_run(config.output, command="benchmark", config=config) as opened:
        return opened.finish(benchmark(config, run=opened))


def test_every_encoder_and_seed_has_a_cell_and_the_table_is_written_beside_them(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]]
) -> None:
    tables = run(config)["tables"]
    rows = tables[0]["rows"]
    expected = [("reach", name, seed) for seed in (0, 1) for name in TRAINED] + [
        ("reach", name, 0) for name in SCRIPTED
    ]
    assert calls == expected
    assert [row[1:3] for row in rows] == [[NAMES[name], domain] for name in (*TRAINED, *SCRIPTED) for domain in DOMAINS]
    text = config.cells.with_suffix(".md").read_text()
    assert text.count("\n| reach |") == sum(len(table["rows"]) for table in tables)
    # against the random and the fresh encoder in each domain; what nothing was trained for has no pairs
    assert [row[1:3] for row in tables[2]["rows"]] == [
        [NAMES[name], domain] for name in ("random", "scratch") for domain in DOMAINS
    ]
    assert [row[:3] for row in tables[1]["rows"]] == [["reach", NAMES[name], 1.0] for name in (*TRAINED, *SCRIPTED)]
    assert len(list(config.cells.glob("*.json"))) == len(expected)


def test_a_second_benchmark_in_another_place_measures_only_what_changed(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    run(config)
    calls.clear()
    more_workers = replace(config, output=tmp_path / "again", recipe=replace(config.recipe, num_workers=2))
    first = run(more_workers)
    assert calls == []
    assert [row[4] for row in first["tables"][0]["rows"]][:1] == [8]
    longer = replace(config, output=tmp_path / "longer", recipe=replace(config.recipe, pretrain_steps=9))
    run(longer)
    assert calls == [("reach", "pretrained", 0), ("reach", "pretrained", 1)], "the others see no pretrained encoder"
    calls.clear()
    run(replace(config, output=tmp_path / "seeds", seeds=(0, 1, 2), recipe=longer.recipe))
    assert calls == [("reach", name, 2) for name in TRAINED]
    calls.clear()
    run(replace(config, output=tmp_path / "episodes", num_eval_episodes=5))
    assert len(calls) == 10, "the evaluation is part of every cell"


def test_a_fast_first_look_fills_cells_that_the_whole_table_takes_over(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    whole = replace(config, encoders=(*TRAINED, "simclr"), more_demonstrations=(10,))
    run(replace(whole, fast=True))
    first = [("reach", name, 0) for name in (*TRAINED, *SCRIPTED)]
    assert calls == first
    run(replace(whole, output=tmp_path / "whole"))
    more = [("reach", "simclr", 0), *(("reach", name, 0) for name in TRAINED)]  # those with 10 demonstrations
    later = [("reach", name, 1) for name in (*TRAINED, "simclr", *TRAINED)]
    assert calls == [*first, *more, *later]


def test_unfinished_cells_are_left_out_on_request(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    whole = replace(config, encoders=("pretrained", "random"), shifts=("mass",), only_finished=True)
    with pytest.raises(ConfigError, match="leave only_finished out"):
        run(whole)
    run(replace(config, output=tmp_path / "some", encoders=("pretrained",), seeds=(0,)))
    calls.clear()
    made = run(replace(whole, output=tmp_path / "tables"))["tables"]
    assert calls == []
    assert {row[1] for row in made[0]["rows"]} == {NAMES[name] for name in ("pretrained", *SCRIPTED)}
    (config.cells / "reach-pretrained-0.json").unlink()
    assert {row[1] for row in run(replace(whole, output=tmp_path / "later"))["tables"][0]["rows"]} == {
        NAMES[name] for name in SCRIPTED
    }


def test_further_encoders_and_numbers_of_demonstrations_have_cells_of_their_own(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    run(replace(config, seeds=(0,)))
    calls.clear()
    mine = save_encoder(build_encoder("conv", image_size=64, feature_dim=16, widths=(8,)), tmp_path / "mine")
    wider = replace(
        config,
        output=tmp_path / "wider",
        tasks=("reach", "push"),
        seeds=(0,),
        encoders=("pretrained", "random", "simclr", "autoencoder"),
        given={"mine": mine},
        more_demonstrations=(10,),
    )
    tables = run(wider)["tables"]
    names = ("pretrained", "random", "simclr", "autoencoder", "mine", "pretrained", "random")
    trained = [(task, name, 0) for task in wider.tasks for name in names]
    trained.remove(("reach", "random", 0))  # with the recipe's number of demonstrations it was there
    assert calls == [*trained, ("push", "expert", 0), ("push", "random-policy", 0)]
    assert (config.cells / "reach-random-10-0.json").is_file()
    labels = {row[1] for row in tables[0]["rows"]}
    assert {"mine", "SimCLR, frozen", "random, frozen, 10 demonstrations"} <= labels
    assert {tuple(row[:4]) for row in tables[3]["rows"] if row[1] == NAMES["random"]} == {
        (task, NAMES["random"], count, domain)
        for task in ("reach", "push", "all")
        for count in (25, 10)
        for domain in DOMAINS
    }
    than = {(row[0], row[1]) for row in tables[2]["rows"]}
    assert {("all", "mine"), ("all", "random, frozen, 10 demonstrations"), ("push", "autoencoder, frozen")} <= than


def test_the_pretrained_policies_of_the_first_seed_meet_single_shifts(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]]
) -> None:
    whole = replace(config, shifts=("camera", "mass"), encoders=("pretrained", "random"))
    *_, shifted = run(whole)["tables"]
    assert calls[-3:] == [("reach", "pretrained", 0)] * 3
    rows = [dict(zip(shifted["columns"], row, strict=True)) for row in shifted["rows"]]
    assert [(row["policy"], row["domain"]) for row in rows] == [
        ("reach", "nominal"),
        ("reach", "shift: camera"),
        ("reach", "shift: mass"),
    ]
    assert [row["retained"] for row in rows] == [1.0, 1.0, 1.0]
    assert len(kept_of(shifted)) == 2, "the report draws it as it draws that of transfer"
    written = json.loads((config.cells / "reach-pretrained-shift-camera-0.json").read_text())["settings"]
    assert written["evaluate"]["domains"] == ["nominal"]
    assert written["evaluate"]["axes"] == {"camera_position": True, "camera_target": True, "field_of_view": True}
    plain = json.loads((config.cells / "reach-pretrained-shift-nothing-0.json").read_text())["settings"]
    assert "axes" not in plain["evaluate"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"encoders": ("pretrained", "simcrl")}, "did you mean 'simclr'"),
        ({"shifts": ("colours",)}, "did you mean 'colour'"),
        ({"given": {"random": Path("x")}}, "can't be called 'random'"),
        ({"given": {"resnet": Path("nowhere")}}, "nowhere"),
    ],
)
def test_an_encoder_that_is_not_there_is_refused_before_any_work(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], values: Any, text: str
) -> None:
    with pytest.raises(RobosslError, match=text):
        run(replace(config, **values))
    assert calls == []


def test_a_cell_is_measured_through_the_stages_that_it_needs(
    config: BenchmarkConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, str]] = []

    def run_stage(command: str, function: Any, how: Any) -> dict[str, Any]:
        done.append((command, how.output.name))
        return measured(1, domains=DOMAINS) if command == "evaluate" else {}

    monkeypatch.setattr(stage, "run_stage", run_stage)
    run(replace(config, seeds=(0,)))
    of_encoder = [("collect", "play-reach"), ("pretrain", "pretrain-0")]
    expected = [
        step
        for name in TRAINED
        for step in [
            *(of_encoder if name != "state" else ()),
            ("collect", "demonstrations-reach-0"),
            ("finetune", f"policy-{name}-reach-0"),
            ("evaluate", f"evaluate-{name}-reach-0"),
        ]
    ]
    assert done == [*expected, *(("evaluate", f"evaluate-{name}-reach-0") for name in SCRIPTED)]


def test_another_world_makes_the_cells_of_its_task_again(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], worlds: dict[str, str]
) -> None:
    both = replace(config, tasks=("reach", "push"), seeds=(0,))
    run(both)
    calls.clear()
    worlds["push"] = "another puck"
    run(replace(both, output=config.output / "again"))
    of_push = [("push", name, 0) for name in (*TRAINED, *SCRIPTED)]
    assert calls == [("reach", "pretrained", 0), *of_push], "its encoder was trained on play of Push too"


def test_a_world_is_known_by_what_happens_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = world("reach", ("randomized",))
    world.cache_clear()
    assert world("reach", ("randomized",)) == seen
    assert world("reach", ("shifted",)) != seen
    monkeypatch.setattr("robossl_envs.tasks.reach.BALL_RADIUS_M", 0.03)
    world.cache_clear()
    assert world("reach", ("randomized",)) != seen
    world.cache_clear()


def test_a_folder_that_no_cell_can_be_written_to_is_refused_before_any_work(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(stage, "_measure", never)
    monkeypatch.setattr(stage.os, "access", lambda path, mode: False)
    config = BenchmarkConfig(output=tmp_path / "run", cells=tmp_path / "cells")
    with (
        open_run(config.output, command="benchmark", config=config) as run,
        pytest.raises(ConfigError, match="--cells"),
    ):
        benchmark(config, run=run)


def test_a_world_is_drawn_by_what_every_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, str]] = []

    def watched(spec: EnvSpec, *arguments: Any, **values: Any) -> Iterator[Episode]:
        for episode in rollout(spec, *arguments, **values):
            drawn.append((spec.domain, episode.renderer))
            yield episode

    monkeypatch.setattr(benchmark_world, "rollout", watched)
    world.cache_clear()
    world("reach", ("randomized", "heldout"))
    assert drawn[0] == ("randomized", "tiny")
    assert drawn[1][1] in ("mujoco-egl", "mujoco-osmesa", "tiny"), "the last one without a GL library"


def test_a_renderer_is_part_of_a_cell_only_if_it_is_not_that_of_the_first_cells(config: BenchmarkConfig) -> None:
    settings = stage._settings(config, "reach", "pretrained", 0)
    assert "renderer" not in str(settings)
    assert stage.without_later({"collect": {"renderer": "gl"}}) == {"collect": {"renderer": "gl"}}
