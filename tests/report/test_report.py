"""The report is one file that shows what the runs hold, and escapes what they say."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imsave

from robossl.config.report import ReportConfig
from robossl.config.schema import STRICT
from robossl.errors import ConfigError
from robossl.report import build_report
from robossl.report.curves import curves
from robossl.report.future_frames import tile
from robossl.report.html import number
from robossl.runs import Run, open_run
from robossl.stages.report import report


@dataclass(frozen=True, kw_only=True)
class Example:
    __pydantic_config__ = STRICT

    note: str = "a < b"


def _open(path: Path, command: str) -> Run:
    return open_run(path, command=command, config=Example())


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """A data set, the encoder trained on it, and the success of two policies."""
    data, encoder, evaluated = tmp_path / "play", tmp_path / "pretrain", tmp_path / "evaluate"
    _open(data / "robossl", "collect").finish({"num_episodes": 20, "digest": "sha256:data"})

    run = _open(encoder, "pretrain")
    for step in range(80):
        run.tracker.log(step, {"loss": 1 / (step + 1), "part/a": step, "part/b": -step, "lr": None})
    with run.time("train"):
        run.figures.mkdir()
    imsave(run.figures / "future.png", np.zeros((4, 4, 3), np.uint8))
    (run.figures / "future.txt").write_text("Predicted <above> true")
    imsave(run.figures / "two_words.png", np.zeros((4, 4, 3), np.uint8))
    run.encoder.mkdir()
    (run.encoder / "model.bin").write_text("weights")
    run.tracker.log_artifact("encoder", kind="encoder", path=run.encoder, inputs={"episodes": "sha256:data"})
    run._add_seconds("train", 100.0)
    run.finish({"loss": 0.1})

    run = _open(evaluated, "evaluate")
    run.tracker.log_video("evaluate/heldout/failures", np.zeros((3, 64, 64, 3), np.uint8))
    columns = ["policy", "domain", "n", "success_rate", "low", "high"]
    rows = [["runs/a/policy", "heldout", 20, 0.85, 0.64, 0.95], ["expert", "heldout", 20, None, None, None]]
    table = {"title": "Success", "columns": columns, "rows": rows, "note": "Wilson"}
    probe = {"title": "Probe & co", "columns": ["target", "cm"], "rows": [["goal", 3.81234], ["object", None]]}
    run.finish({"tables": [table, probe], "env_id": "robossl/PandaReach-v0"})
    return [data, encoder, evaluated]


def test_the_page_shows_everything_and_needs_no_other_file(runs: list[Path], tmp_path: Path) -> None:
    further = {"title": "Further", "columns": ["x"], "rows": [[12345]]}
    page = build_report(runs, tmp_path / "out/report.html", title="T & U", lead="Lead.", tables=[further])
    text = page.read_text()
    assert not re.search(r"""(src|href)=["'](?!data:)|url\((?!#)|https?://|@import""", text.replace('href="#', ""))
    for shown in (
        "T &amp; U", "Lead.", "Predicted &lt;above&gt; true", "two words", "heldout · failures",
        "PandaReach-v0", "0.64–0.95, n 20", "3.81", "Probe &amp; co", "12,345", "note: a &lt; b", "1.7 min",
        "20 episodes",
    ):  # fmt: skip
        assert shown in text, shown
    assert text.count("data:image/png;base64,") == 2
    assert text.count("data:video/mp4;base64,") == 1
    assert text.count('poster="data:image/jpeg;base64,') == 1
    assert text.count("<svg") == 3  # loss, a, b; the learning rate was never a number


def test_a_table_that_is_given_takes_the_place_of_single_ones(runs: list[Path], tmp_path: Path) -> None:
    columns = ["task", "encoder", "domain", "n", "success_rate", "low", "high"]
    table = {"title": "All", "columns": columns, "rows": [["reach", "pretrained", "nominal", 9, 0.5, 0.2, 0.8]]}
    given = build_report(runs, tmp_path / "report.html", tables=[table]).read_text()
    _open(tmp_path / "demo", "demo").finish({"tables": [table]})
    found = build_report([*runs, tmp_path / "demo"], tmp_path / "report.html").read_text()
    assert "0.20–0.80, n 9" in given
    assert "0.64–0.95, n 20" not in given
    assert "0.20–0.80, n 9" in found
    assert "0.64–0.95, n 20" in found, "the runs are none of the demo's own"


def test_lineage_names_the_run_that_made_an_input(runs: list[Path], tmp_path: Path) -> None:
    text = build_report(runs, tmp_path / "report.html").read_text()
    assert "<li>episodes <code>play</code></li>" in text


def test_a_run_that_has_not_finished_is_shown_as_such(tmp_path: Path) -> None:
    _open(tmp_path / "run", "pretrain")
    text = build_report([tmp_path / "run"], tmp_path / "report.html").read_text()
    assert "not finished" in text
    assert "Where the time went" not in text


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for task in ("reach", "push"):
        _open(tmp_path / task / "evaluate", "evaluate").finish({})
    text = build_report([tmp_path / "reach/evaluate", tmp_path / "push/evaluate"], tmp_path / "r.html").read_text()
    assert "reach/evaluate" in text
    assert "push/evaluate" in text


def _rows(**slopes: float) -> list[dict[str, float]]:
    return [{"step": step, **{name: slope * step for name, slope in slopes.items()}} for step in range(5)]


def test_future_frames_stand_above_their_prediction(tmp_path: Path) -> None:
    run = _open(tmp_path / "run", "pretrain")
    (run.path / "future_frames").mkdir()
    shades = {"context": 50, "truth": 100, "predicted": 200}
    frames = {name: np.full((4, 2, 3, 32, 48), shade, np.uint8) for name, shade in shades.items()}
    np.savez(run.path / "future_frames/g1.npz", **frames, horizons=np.array([6, 15]))
    scores = {"6": {"psnr_db": 25.2, "copy_psnr_db": 23.7, "num_frames": 80}}
    (run.path / "future_frames/g1.json").write_text(json.dumps({"horizons": scores}))
    text = build_report([run.path], tmp_path / "report.html").read_text()
    assert "frames +6, +15" in text
    assert "25.2" in text

    strip = tile(frames["context"], frames["truth"], frames["predicted"])
    block = strip[: 2 * 64 + 2, : 3 * 96 + 4]  # enlarged twice, with gaps of 2 px
    assert strip.shape == (2 * len(block) + 14, 3 * block.shape[1] + 2 * 14, 4)
    assert list(block[0, [0, 98, 200], 0]) == [50, 100, 100]
    assert list(block[-1, [98, 200], 0]) == [200, 200]
    assert block[-1, 0, 3] == 0


def test_short_phases_are_joined(tmp_path: Path) -> None:
    run = _open(tmp_path / "run", "pretrain")
    for length_s in range(1, 11):
        run._add_seconds(f"phase {length_s}", float(length_s))
    text = build_report([run.path], tmp_path / "report.html").read_text()
    assert "phase 4 4 s" in text
    assert "phase 3 " not in text
    assert "other 6 s" in text


def test_a_data_set_goes_by_its_own_name(runs: list[Path], tmp_path: Path) -> None:
    text = build_report([runs[0] / "robossl"], tmp_path / "report.html").read_text()
    assert "<h4>play</h4>" in text


def test_curves_use_the_colour_of_the_page() -> None:
    (svg,) = curves({"a": _rows(loss=0.1)}, salt="a").values()
    assert "currentColor" in svg
    assert "#010203" not in svg


def test_metrics_of_one_kind_share_an_axis_and_so_do_runs() -> None:
    one = {"step": 0, "part/psnr_db": 1.0, "part/copy_psnr_db": 1.0, "part/loss": 1.0}
    rows = [one, one | {"step": 1}]
    assert list(curves({"a": rows}, salt="a")) == ["part db", "part: loss"]
    compared = curves({"first": _rows(loss=1), "second": _rows(loss=2)}, salt="a")
    (svg,) = compared.values()
    assert "second" in svg


def test_the_only_objective_does_not_repeat_the_loss() -> None:
    rows = [{"step": step, "loss": 1.0 - step, "part/loss": 1.0 - step, "part/accuracy": step} for step in range(3)]
    alone = curves({"a": rows}, salt="a")
    assert list(alone) == ["loss: what training lowers", "part: share of the right match found, 0 to 1"]
    weighted = [row | {"part/loss": 2 * row["loss"] + 1} for row in rows]
    assert "part: loss" in curves({"a": weighted}, salt="a")


def test_the_legend_stands_below_the_axes() -> None:
    names = [f"policy-number-{number}" for number in range(8)]
    (svg,) = curves({name: _rows(loss=1) for name in names}, salt="a").values()
    height_of = {text: float(y) for y, text in re.findall(r'<text[^>]* y="(\S+)"[^>]*>([^<]*)</text>', svg)}
    lowest_tick = max(y for text, y in height_of.items() if text not in names)
    assert all(height_of[name] > lowest_tick + 5 for name in names)  # y grows downwards


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.123456, "0.123"), (1234.5, "1,234"), (1234, "1,234"), (True, "True"), ("x", "x")],
)
def test_numbers_are_short(value: object, shown: str) -> None:
    assert number(value) == shown


def test_the_command_writes_the_page_into_its_run(runs: list[Path], tmp_path: Path) -> None:
    config = ReportConfig(runs=tuple(runs), output=tmp_path / "report")
    with open_run(config.output, command="report", config=config) as run:
        result = report(config, run=run)
    assert Path(result["report"]).read_text().startswith("<!doctype html>")
    assert set(result["inputs"]) == {str(path) for path in runs}


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    config = ReportConfig(runs=(), output=tmp_path / "report")
    with pytest.raises(ConfigError, match="no run was named"):
        report(config, run=open_run(config.output, command="report", config=config))
    with pytest.raises(ConfigError, match="is no run directory"):
        build_report([tmp_path / "none"], tmp_path / "report.html")
