"""The benchmark's page says what each kept episode was met under."""

from pathlib import Path
from typing import Any

import pytest

from robossl.config.benchmark import BenchmarkConfig
from robossl.stages import benchmark as stage
from robossl.stages import benchmark_runs
from robossl.stages.benchmark_cells import Cell
from robossl.stages.benchmark_shifts import NOTHING


def test_each_shift_is_a_world_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = BenchmarkConfig(output=tmp_path, tasks=("reach",), shifts=("mass", "jpeg"))
    monkeypatch.setattr(benchmark_runs, "world", lambda *_: "as it was")
    told: dict[str, Any] = {}
    monkeypatch.setattr(stage, "build_report", lambda runs, page, **words: told.update(words, runs=runs) or page)
    cells = [
        Cell(task="reach", variant="pretrained", seed=0, shift=shift, settings={})
        for shift in (None, NOTHING, "mass", "jpeg")
    ]
    for cell in cells:
        benchmark_runs.evaluated(config, cell).mkdir(parents=True)
    stage._page(config, [], cells)
    assert len(told["runs"]) == len(told["labels"]) == 4
    assert set(told["labels"].values()) == {"pretrained, frozen"}
    assert sorted(world for _, world in told["cells"].values()) == ["nominal", "shift: jpeg", "shift: mass"]
    assert {label for label, _ in told["cells"].values()} == {"pretrained, frozen"}
