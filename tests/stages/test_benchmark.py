"""The benchmark measures each cell once, again when a setting changes, and refuses what can't work before any work."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from measured import measured

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.recipe import NAMES, SCRIPTED, TRAINED, UNRANDOMIZED, RecipeConfig
from robossl.encoders import build_encoder, save_encoder
from robossl.errors import ConfigError, RobosslError
from robossl.report.retention import kept_of
from robossl.runs import open_run
from robossl.stages import benchmark as stage
from robossl.stages import benchmark_checks, benchmark_runs
from robossl.stages.benchmark import benchmark
from robossl.stages.benchmark_cells import Cell
from robossl.stages.benchmark_runs import DOMAINS
from robossl.stages.benchmark_shifts import NOTHING, PLAIN


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
    monkeypatch.setattr(benchmark_runs, "world", lambda task, domains: known[task])
    return known


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """The cells that were measured; the measurement itself is left out."""
    seen: list[tuple[str, str, int]] = []

    def measure(config: BenchmarkConfig, one: Cell, workers: Any) -> dict[str, Any]:
        seen.append((one.task, one.variant, one.seed))
        if one.shift is None:
            return measured(1, 1, 0, one.seed, domains=DOMAINS)
        # another world is not just the same, episode by episode
        return measured(1, *((1, 0) if one.shift == NOTHING else (0, 1)), one.seed, domains=(PLAIN,))

    monkeypatch.setattr(stage, "measure", measure)
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
    assert [row[:6] for row in tables[1]["rows"]] == [
        *(["reach", NAMES[name], DOMAINS[0], 2, 8, 1.0] for name in TRAINED),
        *(["reach", NAMES[name], DOMAINS[0], 1, 4, 1.0] for name in SCRIPTED),
    ]
    assert tables[3]["title"] == "Agreement of randomized and heldout"
    assert tables[3]["rows"] == [["reach", 2 * len(TRAINED) + len(SCRIPTED), ANY, ANY]]
    assert len(list(config.cells.glob("*.json"))) == len(expected)


def test_the_table_of_a_part_does_not_take_the_place_of_that_of_all(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    run(config)
    whole = config.cells.with_suffix(".md").read_text()
    part = replace(config, output=tmp_path / "part", encoders=("random",))
    assert "part/table.md; the whole benchmark with --only-finished" in run(part)["next"]
    assert config.cells.with_suffix(".md").read_text() == whole
    text = (part.output / "table.md").read_text()
    assert NAMES["random"] in text
    assert NAMES["scratch"] not in text
    run(replace(part, output=tmp_path / "again", only_finished=True))
    assert NAMES["scratch"] not in config.cells.with_suffix(".md").read_text()


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
    with pytest.raises(ConfigError, match=r"reach-pretrained-0.json \(and 1 more\) was measured .* --renew"):
        run(longer)
    assert calls == []
    run(replace(longer, renew=True))
    assert calls == [("reach", "pretrained", 0), ("reach", "pretrained", 1)], "the others see no pretrained encoder"
    calls.clear()
    run(replace(config, output=tmp_path / "seeds", seeds=(0, 1, 2), recipe=longer.recipe))
    assert calls == [("reach", name, 2) for name in TRAINED]
    calls.clear()
    run(replace(config, output=tmp_path / "episodes", num_eval_episodes=5, renew=True))
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
        renew=True,  # its encoder learns from play of Push too
    )
    tables = run(wider)["tables"]
    names = ("pretrained", "random", "simclr", "autoencoder", "mine", "pretrained", "random")
    trained = [(task, name, 0) for task in wider.tasks for name in names]
    trained.remove(("reach", "random", 0))  # with the recipe's number of demonstrations it was there
    assert calls == [*trained, ("push", "expert", 0), ("push", "random-policy", 0)]
    assert (config.cells / "reach-random-10-0.json").is_file()
    labels = {row[1] for row in tables[0]["rows"]}
    assert {"mine", "SimCLR, frozen", "random, frozen, 10 demonstrations"} <= labels
    counts = tables[4]
    assert {tuple(row[:4]) for row in counts["rows"] if row[1] == NAMES["random"]} == {
        (task, NAMES["random"], count, domain)
        for task in ("reach", "push", "all")
        for count in (25, 10)
        for domain in DOMAINS
    }
    than = {(row[0], row[1]) for row in tables[2]["rows"]}
    assert {("all", "mine"), ("all", "random, frozen, 10 demonstrations"), ("push", "autoencoder, frozen")} <= than


def test_without_randomization_all_is_learned_in_the_plain_world_and_measured_there_too(
    config: BenchmarkConfig,
) -> None:
    plain, usual = (benchmark_runs.settings(config, "reach", name, 0) for name in (UNRANDOMIZED, "pretrained"))
    for learned in ("play-reach", "demonstrations"):
        assert (plain[learned].pop("domain"), usual[learned].pop("domain")) == (PLAIN, DOMAINS[0])
        assert plain[learned] == usual[learned]
    assert plain["pretrain"] == usual["pretrain"]
    assert plain["evaluate"]["domains"] == [PLAIN, *DOMAINS]
    assert usual["evaluate"]["domains"] == [*DOMAINS]
    cells = [Cell(task="reach", variant=name, seed=0, settings={}) for name in (UNRANDOMIZED, "pretrained", "random")]
    paths = {benchmark_runs.steps(config, cell)[-3].output for cell in cells}  # then come policy and evaluation
    assert len(paths) == 2, "no variant takes another world's demonstrations"


def test_the_pretrained_policies_of_the_first_seed_meet_single_shifts(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]]
) -> None:
    whole = replace(config, shifts=("camera", "mass"), encoders=("pretrained", "random"))
    *_, shifted = run(whole)["tables"]
    assert calls[-3:] == [("reach", "pretrained", 0)] * 3
    rows = [dict(zip(shifted["columns"], row, strict=True)) for row in shifted["rows"]]
    assert [(row["task"], row["domain"]) for row in rows] == [
        ("reach", "nominal"),
        ("reach", "shift: camera"),
        ("reach", "shift: mass"),
    ]
    assert [row["retained"] for row in rows] == [None, 1.0, 1.0]
    assert len(kept_of(shifted)) == 2, "the report draws it as it draws that of transfer"
    assert "What is kept in each world" in (config.output / "report.html").read_text()
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
        ({"given": {"random": Path("x")}}, "can't be called 'random': pretrained, .* are names already"),
        ({"given": {"my resnet": Path("x")}}, "can't be called 'my resnet': use letters, digits and _"),
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

    monkeypatch.setattr(benchmark_runs, "run_stage", run_stage)
    run(replace(config, seeds=(0,)))
    of_encoder = [("collect", "play-reach"), ("pretrain", "pretrain-0")]  # of the others the architecture is enough
    expected = [
        step
        for name in TRAINED
        for step in [
            *(of_encoder if name == "pretrained" else ()),
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
    run(replace(both, output=config.output / "again", renew=True))
    of_push = [("push", name, 0) for name in (*TRAINED, *SCRIPTED)]
    assert calls == [("reach", "pretrained", 0), *of_push], "its encoder was trained on play of Push too"


def test_a_folder_that_no_cell_can_be_written_to_is_refused_before_any_work(
    config: BenchmarkConfig, calls: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_checks.os, "access", lambda path, mode: False)
    with pytest.raises(ConfigError, match="--cells"):
        run(config)
    assert calls == []
