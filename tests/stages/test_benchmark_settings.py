"""What cells of the benchmark depend on, what is compared with what, and what is never lost."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from measured import measured

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.later import LATER, without_later
from robossl.config.recipe import RecipeConfig
from robossl.encoders import build_encoder, load_card, save_encoder
from robossl.errors import ConfigError
from robossl.runs import open_run
from robossl.stages import benchmark as stage
from robossl.stages import benchmark_runs
from robossl.stages.benchmark_cells import Cell


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BenchmarkConfig:
    """A benchmark whose policies are never made: each solves one episode of two in every domain."""
    monkeypatch.setattr(benchmark_runs, "world", lambda task, domains: "as it was")
    monkeypatch.setattr(
        stage,
        "measure",
        lambda config, cell, workers: measured(1, 0, domains=tuple(cell.settings["evaluate"]["domains"])),
    )
    return BenchmarkConfig(
        output=tmp_path / "runs",
        cells=tmp_path / "cells",
        recipe=RecipeConfig(num_workers=1),
        tasks=("reach",),
        seeds=(0,),
        num_eval_episodes=2,
    )


def run(config: BenchmarkConfig) -> dict[str, Any]:
    with open_run(config.output, command="benchmark", config=config, renew=True) as opened:
        return opened.finish(stage.benchmark(config, run=opened))


def given(folder: Path, *, width: int = 8) -> Path:
    return save_encoder(build_encoder("conv", image_size=64, feature_dim=16, widths=(width,)), folder)


def test_a_run_takes_in_more_in_its_own_output(config: BenchmarkConfig) -> None:
    assert len(run(replace(config, fast=True))["tables"][0]["rows"]) == 2 * 6
    assert len(run(replace(config, seeds=(0, 1), encoders=("random",)))["tables"][0]["rows"]) == 2 * 3


def test_without_the_pretrained_encoder_the_first_given_one_is_compared(
    config: BenchmarkConfig, tmp_path: Path
) -> None:
    mine = given(tmp_path / "mine")
    how = replace(config, encoders=("random", "state"), given={"mine": mine}, shifts=("mass",))
    tables = {table["title"]: table for table in run(how)["tables"]}
    assert {row[1] for row in tables["How much better is: mine"]["rows"]} == {"random, frozen"}
    assert "(mine)" in tables["Under single shifts"]["note"]
    alone = run(replace(config, output=tmp_path / "alone", encoders=("state",)))["tables"]
    assert not [table for table in alone if not table["rows"]]


def test_fresh_weights_need_no_pretraining(config: BenchmarkConfig) -> None:
    for variant in ("random", "scratch"):
        (cell,) = (one for one in stage._cells(config) if one.variant == variant)
        steps = benchmark_runs.steps(config, cell)
        assert [step.command for step in steps] == ["collect", "finetune", "evaluate"]
        card = load_card(steps[1].config.architecture)
        assert (card["architecture"], card["arguments"]["pooling"]) == ("conv", "spatial_softmax")


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_damaged_cell_is_refused_before_any_work(config: BenchmarkConfig, text: str) -> None:
    config.cells.mkdir()
    (config.cells / "reach-state-0.json").write_text(text)
    with pytest.raises(ConfigError, match=r"reach-state-0.json.*; remove it to measure it again"):
        run(config)


def test_cells_of_another_benchmark_are_kept_until_they_may_be_replaced(config: BenchmarkConfig) -> None:
    run(config)
    path = config.cells / "reach-state-0.json"
    kept, other = path.read_text(), replace(config, num_eval_episodes=1)
    with pytest.raises(ConfigError, match=r"\(and 5 more\) was measured with other settings .* --renew"):
        run(other)
    assert path.read_text() == kept
    run(replace(other, renew=True))
    assert json.loads(path.read_text())["settings"]["evaluate"]["num_episodes"] == 1


def test_a_finetuned_encoder_is_the_pretrained_one_that_learns_along(config: BenchmarkConfig) -> None:
    frozen, along, scratch = (
        benchmark_runs.settings(config, "reach", name, 0) for name in ("pretrained", "finetuned", "scratch")
    )
    assert along["pretrain"] == frozen["pretrain"]
    assert "pretrain" not in scratch
    assert [how["finetune"]["mode"] for how in (frozen, along, scratch)] == ["frozen", "finetuned", "scratch"]
    assert along["finetune"]["num_steps"] == scratch["finetune"]["num_steps"]
    assert stage._cells(replace(config, encoders=("finetuned",)))[0].name == "reach-finetuned"


def test_another_encoder_of_the_same_name_has_folders_of_its_own(config: BenchmarkConfig, tmp_path: Path) -> None:
    cell = Cell(task="reach", variant="mine", seed=0, settings={})
    encoders = [build_encoder("conv", image_size=64, feature_dim=16, widths=(width,)) for width in (8, 16)]
    paths = [save_encoder(encoder, tmp_path / f"mine-{number}") for number, encoder in enumerate(encoders)]
    assert len({benchmark_runs.evaluated(replace(config, given={"mine": path}), cell) for path in paths}) == 2


def test_a_renderer_is_part_of_a_cell_only_if_it_is_not_that_of_the_first_cells(config: BenchmarkConfig) -> None:
    settings = benchmark_runs.settings(config, "reach", "pretrained", 0)
    assert "renderer" not in str(settings)
    assert without_later({"collect": {"renderer": "gl"}}) == {"collect": {"renderer": "gl"}}


def test_parameters_of_objectives_are_part_of_a_cell_whatever_they_are_called() -> None:
    objective = {"name": "paired_looks", "params": {"temperature": LATER["temperature"]}}
    assert without_later({"objectives": [objective]}) == {"objectives": [objective]}
    assert without_later({"finetune": {"temperature": LATER["temperature"]}}) == {"finetune": {}}
