"""The table of pretext tasks: the best first, beside random weights; cells are kept as long as nothing changed."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from tool_module import load_tool

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("rank_objectives")


def cell(tool: ModuleType, name: str, seed: int, value: float, of: object) -> dict:
    numbers = {domain: {target.name: value for target in tool.TARGETS} for domain in tool.DOMAINS}
    trained = {} if name == tool.RANDOM else {"seconds": 10 * (seed + 1), "wall": 70, "health/effective_rank": 5.0}
    r2 = dict.fromkeys(tool.TASKS, numbers)
    return {"key": "", "objective": name, "seed": seed, "r2": r2, "tau": 0.2, "of": of, **trained}


def test_the_table_joins_seeds_and_leaves_cells_of_other_sizes_out(tool: ModuleType, tmp_path: Path) -> None:
    arguments, of = argparse.Namespace(cells=tmp_path / "objectives"), {"sizes": 1}
    arguments.cells.mkdir()
    cells = [
        *(cell(tool, tool.RANDOM, seed, 0.1, of) for seed in range(3)),
        cell(tool, "r3m", 0, 0.2, of),
        cell(tool, "vicreg", 0, 0.4, of),
        cell(tool, "vicreg", 1, 0.6, of),
        cell(tool, "vicreg", 2, 0.5, of),
        cell(tool, "simclr", 0, 0.9, {"sizes": 2}),
    ]
    for number, made in enumerate(cells):
        (arguments.cells / f"{number}.json").write_text(json.dumps(made))
    (arguments.cells / "why.yaml").write_text("r3m: It sees the look.\nvicreg: It does not need to be said.\n")
    tool._write_table(arguments, of)
    rows = [row for row in (tmp_path / "objectives.md").read_text().splitlines() if row.startswith("| ")]
    assert rows[1:] == [
        "| vicreg | 0.4 | 0.152 to 0.648 | 0.5 | 0.5 | 0.5 | 0.5 | 0.5 | 0.5 | 0.2 | 5.0 | 20.0 | 70.0 | 3 |  |",
        "| r3m | 0.1 | – | 0.2 | 0.2 | 0.2 | 0.2 | 0.2 | 0.2 | 0.2 | 5.0 | 10.0 | 70.0 | 1 | It sees the look. |",
        "| random | 0.0 | 0.000 to 0.000 | 0.1 | 0.1 | 0.1 | 0.1 | 0.1 | 0.1 | 0.2 | – | – | – | 3 |  |",
    ]


def test_a_cell_is_kept_where_only_paths_differ(tool: ModuleType) -> None:
    data = {(task, "play"): Path(task) for task in tool.TASKS}
    config = tool._config("r3m", 0, argparse.Namespace(work=Path("work"), num_steps=7), data)
    assert config.num_steps == 7
    assert [source.path for source in config.sources] == [Path(task) for task in tool.TASKS]
    key = tool._key(config, 0, {})
    assert tool._key(replace(config, output=Path("elsewhere"), sources=config.sources[:1]), 0, {}) == key
    assert tool._key(replace(config, learning_rate=1.0), 0, {}) != key
    assert tool._key(config, 1, {}) != key


def test_every_pretext_task_has_a_configuration(tool: ModuleType) -> None:
    named = {path.stem for path in (ROOT / "configs/pretrain/methods").glob("*.yaml")}
    assert named == set(tool.OBJECTIVE_NAMES)


def test_what_a_configuration_promises_is_what_the_table_says(tool: ModuleType) -> None:
    cells = ROOT / "docs/results/objectives"
    of = json.loads((cells / f"{tool.RANDOM}-0.json").read_text())["of"]
    for row in tool._rows(cells, of):
        known = dict(zip(tool.COLUMNS, row, strict=True))
        if (name := known["objective"]) == tool.RANDOM:
            continue
        path = f"configs/pretrain/methods/{name}.yaml"
        text = (ROOT / path).read_text()
        over = f"{known['interval']} over {known['seeds']} seeds" if known["seeds"] > 2 else "seed 0"
        assert text.startswith(f"# robossl pretrain {path}\n")
        assert f"# Expected time on two cores: {known['seconds']:.0f} s." in text, name
        assert f" Expected score: {known['lift']:+.3f} R2 over random weights ({over})," in text, name
        assert known["lift"] >= tool.WORTH or known["why not"], name


def test_cells_are_of_the_configurations_that_are_there(tool: ModuleType) -> None:
    data = {(task, "play"): Path(task) for task in tool.TASKS}
    arguments = argparse.Namespace(work=Path("work"), num_steps=None)
    for name in (tool.RANDOM, *tool.OBJECTIVE_NAMES):
        config = None if name == tool.RANDOM else tool._config(name, 0, arguments, data)
        for path in (ROOT / "docs/results/objectives").glob(f"{name}-?.json"):
            cell = json.loads(path.read_text())
            assert (cell["objective"], f"{name}-{cell['seed']}") == (name, path.stem)
            of_seed = None if config is None else replace(config, seed=cell["seed"])
            assert cell["key"] == tool._key(of_seed, cell["seed"], cell["of"]), path.name
