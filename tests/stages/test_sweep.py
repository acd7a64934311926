"""`robossl sweep`: every combination is run once, the best comes first, and what can't be set is refused before."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import point_env  # noqa: F401  registers the env
import pytest
import yaml
from episodes import POINT_ENV

from robossl.config.collect import CollectConfig
from robossl.config.load import load_config
from robossl.config.pretrain import PretrainConfig
from robossl.config.sweep import SweepConfig
from robossl.errors import ConfigError, DataError
from robossl.evaluation.seed_mean import mean_over_seeds
from robossl.runs import open_run
from robossl.stages import sweep as stage
from robossl.stages.collect import collect
from robossl.stages.sweep import sweep


@pytest.fixture
def config(tmp_path: Path) -> SweepConfig:
    base = tmp_path / "base.yaml"
    base.write_text(f"""
sources: [{{path: {tmp_path}/play}}]
objectives: [{{name: time_contrast, params: {{num_anchors: 2}}}}]
encoder: {{feature_dim: 16, params: {{widths: [8, 16], strides: [4, 2]}}}}
image_size: [32, 32]
batch_size: 4
cache_dir: {tmp_path}/cache
device: cpu
""")
    return SweepConfig(
        output=tmp_path / "sweep",
        base=str(base),
        settings={"num_steps": 2},
        grid={"learning_rate": (0.001, 0.01), "objectives.0.params.temperature": (0.1,)},
    )


def run(config: SweepConfig) -> dict[str, Any]:
    with open_run(config.output, command="sweep", config=config, renew=True) as opened:
        return opened.finish(sweep(config, run=opened))


def make_play(path: Path) -> None:
    play = CollectConfig(output=path, env_id=POINT_ENV, cameras=("top",), image_size=32, num_workers=1, num_episodes=8)
    with open_run(play.run_directory, command="collect", config=play) as opened:
        opened.finish(collect(play, run=opened))


def test_every_combination_and_seed_is_run_once_and_ranked(
    config: SweepConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))
    make_play(tmp_path / "play")
    (table,) = run(config)["tables"]
    columns = ["learning_rate", "objectives.0.params.temperature", "r2", "low", "high", "seeds", "rank", "seconds"]
    assert table["columns"] == columns
    assert {row[0] for row in table["rows"]} == {0.001, 0.01}
    assert table["rows"][0][2] >= table["rows"][1][2]
    assert all(row[3] <= row[2] <= row[4] and row[5] == 2 for row in table["rows"])
    folders = {path.name for path in (config.output / "cells").iterdir()}
    assert folders == {f"learning_rate={rate},temperature=0.1,seed={seed}" for rate in (0.001, 0.01) for seed in (0, 1)}
    assert (config.output / "table.md").read_text().count("\n| 0.0") == 2
    trained = load_config(PretrainConfig, next((config.output / "cells").iterdir()) / "pretrain/config.yaml")
    assert (trained.num_steps, trained.objectives[0].params["temperature"]) == (2, 0.1)

    monkeypatch.setattr(stage, "pretrain", None)
    assert run(config)["tables"] == [table], "finished runs are not run again"


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        (
            {"learning_rat": (1.0,)},
            "there is no setting 'learning_rat': .* did you mean 'learning_rate'",
        ),
        ({"objectives.1.weight": (1.0,)}, "no setting 'objectives.1.weight': no '1'; there are 0"),
        ({"learning_rate": (0.01, -1.0)}, "learning_rate: input should be greater than 0, got -1"),
        ({"objectives.0.weight": (0.5, 0.5)}, "two combinations of the grid have one name"),
    ],
)
def test_a_grid_that_can_not_be_run_is_refused_before_the_first_run(config: SweepConfig, grid: dict, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as error:
        run(replace(config, grid=grid))
    assert "\n" not in str(error.value)
    assert not (config.output / "cells").exists()


def test_a_base_that_holds_nothing_out_is_refused_before_the_first_run(config: SweepConfig) -> None:
    with pytest.raises(ConfigError, match=r"test_fraction is 0.0 in .*; set it between 0 and 1"):
        run(replace(config, settings={**config.settings, "test_fraction": 0.0}))
    assert not (config.output / "cells").exists()


def test_a_source_without_what_is_read_out_is_refused_before_the_first_run(config: SweepConfig, tmp_path: Path) -> None:
    make_play(tmp_path / "play")
    with pytest.raises(DataError, match=r"play has no 'position' to read out; it has .*observation.state.*: --key"):
        run(replace(config, key="position"))
    assert not (config.output / "cells").exists()


def test_the_grid_is_written_as_a_sweep_of_wandb_whose_flags_are_taken(config: SweepConfig) -> None:
    config = replace(config, wandb_sweep=True, grid={"learning_rate": (0.001, 0.01), "encoder.feature_dim": (16, 32)})
    (line,) = run(config)["lines"]
    assert line.endswith(f"wandb sweep {config.output}/wandb_sweep.yaml")
    written = yaml.safe_load((config.output / "wandb_sweep.yaml").read_text())
    assert written["parameters"]["learning_rate"] == {"values": [0.001, 0.01]}
    assert written["parameters"]["seed"] == {"values": [0, 1]}
    assert written["command"][-1] == "${args}"
    flags = [f"--{name}={each['values'][0]}" for name, each in written["parameters"].items()]
    taken = load_config(PretrainConfig, Path(config.base), flags)
    assert (taken.learning_rate, taken.num_steps, taken.tracking.wandb) == (0.001, 2, "online")
    deep = replace(config, grid={"objectives.0.params.temperature": (0.1, 0.2)})
    with pytest.raises(ConfigError, match=r"settings as flags, and 'objectives.0.params.temperature' has none"):
        run(deep)


def test_the_interval_over_seeds_is_students() -> None:
    estimate = mean_over_seeds([0.1, 0.2, 0.3])
    assert estimate.value == pytest.approx(0.2)
    assert estimate.high - estimate.value == pytest.approx(4.3027 * 0.1 / math.sqrt(3), rel=1e-4)
    assert math.isnan(mean_over_seeds([0.1]).low)
