"""The table of the default recipe: labels of many episodes, and a net that learns from all of them beside it."""

import argparse
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from tool_module import load_tool

from robossl.encoders import build_encoder
from robossl.types import ClipBatch


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("default_recipe")


def test_labelled_frames_are_of_all_times_of_an_episode(tool: ModuleType) -> None:
    once = [tool.instants(number, 16, per_episode=1).tolist() for number in range(500)]
    assert {index for (index,) in once} == set(range(16))
    for number in range(30):
        assert len(set(tool.instants(number, 16, per_episode=4).tolist())) == 4


def test_the_supervised_net_is_right_where_its_head_says_the_truth(tool: ModuleType) -> None:
    truth = {4: np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)}
    net = tool.Positions(build_encoder("conv", image_size=16, feature_dim=8), truth, num_instants=2)
    indices = torch.tensor([[1, 5]])
    batch = ClipBatch(
        pixels=torch.zeros(1, 2, 2, 3, 16, 16, dtype=torch.uint8),
        groups=net.window.groups,
        valid=torch.ones(1, 2, dtype=torch.bool),
        episode_id=torch.tensor([4]),
        indices=indices,
        timestamps_s=indices / 20,
    )
    assert float(net(batch).loss.detach()) > 0.1
    wanted = (truth[4][3] - net.mean) / net.std
    torch.nn.init.zeros_(net.head.weight)
    net.head.bias.data = torch.from_numpy(wanted)
    assert net.read(np.zeros((2, 8), np.float32)) == pytest.approx(np.tile(truth[4][3], (2, 1)), abs=1e-5)
    net.truth[4][:] = torch.from_numpy(wanted)
    assert float(net(batch).loss.detach()) == pytest.approx(0)


def test_the_table_has_a_row_for_each_domain(tool: ModuleType, tmp_path: Path) -> None:
    cells = tmp_path / "cells"
    cells.mkdir()
    one = {name: {"value": 1.234, "low": 1.0, "high": 1.5} for name in tool.TARGETS}
    for model, seconds in (("supervised", 300.0), ("recipe", 400.0), ("random", None)):
        cell = {"model": model, "seed": 0, "cpu_seconds": seconds, "errors_cm": {"shifted": one}}
        (cells / f"{model}-0.json").write_text(json.dumps(cell))
    tool._write_table(argparse.Namespace(cells=cells))
    rows = [row for row in cells.with_suffix(".md").read_text().splitlines() if "| shifted |" in row]
    assert [row.split(" | ")[0] for row in rows] == [f"| {words}" for words in tool.MODELS.values()]
    assert "1.23 (1.00 to 1.50)" in rows[0]
    assert rows[2].endswith("| – |")
