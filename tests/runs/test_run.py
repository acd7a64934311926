"""A run directory holds what is needed to repeat and resume a run, and is never taken by another one."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from robossl.config.load import dump_config
from robossl.config.schema import STRICT
from robossl.errors import ConfigError, DataError
from robossl.runs import digest_path, fingerprint, lock, open_run, seed_everything


@dataclass(frozen=True, kw_only=True)
class Example:
    __pydantic_config__ = STRICT

    output: Path
    num_steps: int = 3


def test_a_run_ends_with_its_command_time_inputs_and_result(tmp_path: Path) -> None:
    run = open_run(tmp_path / "a/run", command="pretrain", config=Example(output=tmp_path))
    with run.time("train"):
        pass
    run.encoder.mkdir()
    (run.encoder / "card.json").write_text("{}")
    digest = run.tracker.log_artifact("encoder", kind="encoder", path=run.encoder, inputs={"episodes": "sha256:1"})
    run.finish({"loss": np.float32(0.5), "psnr": float("inf")})
    result = json.loads((run.path / "result.json").read_text())
    assert result == run.result
    assert (result["command"], result["loss"], result["psnr"]) == ("pretrain", 0.5, None)
    assert result["inputs"] == {"episodes": "sha256:1"}
    assert result["artifacts"]["encoder"]["digest"] == digest
    assert set(result["seconds"]) == {"train", "total"}


def test_a_run_goes_on_where_it_was_and_its_seconds_add_up(tmp_path: Path) -> None:
    config = Example(output=tmp_path)
    first = open_run(tmp_path / "run", command="pretrain", config=config)
    first._add_seconds("train", 2.0)
    second = open_run(tmp_path / "run", command="pretrain", config=config)
    second._add_seconds("train", 3.0)
    assert (first.resumed, second.resumed) == (False, True)
    assert second.finish({})["seconds"]["train"] == 5.0


@pytest.mark.parametrize(
    ("command", "num_steps", "message"),
    [
        ("probe", 3, "holds a run of 'pretrain', not of 'probe'"),
        ("pretrain", 4, "other settings \\(num_steps is 3 there, 4 here\\)"),
    ],
)
def test_a_directory_is_not_shared_by_two_runs(tmp_path: Path, command: str, num_steps: int, message: str) -> None:
    open_run(tmp_path / "run", command="pretrain", config=Example(output=tmp_path))
    with pytest.raises(ConfigError, match=message):
        open_run(tmp_path / "run", command=command, config=Example(output=tmp_path, num_steps=num_steps))


def test_a_run_that_is_older_than_a_setting_goes_on(tmp_path: Path) -> None:
    config = Example(output=tmp_path)
    open_run(tmp_path / "run", command="pretrain", config=config)
    (tmp_path / "run/config.yaml").write_text(f"output: {tmp_path}\n")  # as before there was `num_steps`
    assert open_run(tmp_path / "run", command="pretrain", config=config).resumed
    with pytest.raises(ConfigError, match="num_steps is 3 there, 4 here"):
        open_run(tmp_path / "run", command="pretrain", config=Example(output=tmp_path, num_steps=4))
    (tmp_path / "run/config.yaml").write_text(f"output: {tmp_path}\nwas_once: 1\n")
    with pytest.raises(ConfigError, match="other settings"):
        open_run(tmp_path / "run", command="pretrain", config=config)


def test_a_renewed_run_takes_other_settings_when_it_finishes(tmp_path: Path) -> None:
    for num_steps in (3, 4):
        config = Example(output=tmp_path, num_steps=num_steps)
        with open_run(tmp_path / "run", command="report", config=config, renew=True) as run:
            run.finish({})
    assert "num_steps: 4" in (tmp_path / "run/config.yaml").read_text()
    with pytest.raises(ConfigError, match="not of 'pretrain'"):
        open_run(tmp_path / "run", command="pretrain", config=config, renew=True)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"can't make .* choose another --output"):
        open_run(tmp_path / "file/run", command="pretrain", config=Example(output=tmp_path))


def test_a_moved_run_can_be_resumed(tmp_path: Path) -> None:
    open_run(tmp_path / "run", command="pretrain", config=Example(output=tmp_path / "run"))
    (tmp_path / "run").rename(tmp_path / "moved")
    run = open_run(tmp_path / "moved", command="pretrain", config=Example(output=tmp_path / "moved"))
    assert run.resumed


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.png").touch()
    with pytest.raises(ConfigError, match="no run directory; choose another --output"):
        open_run(tmp_path, command="pretrain", config=Example(output=tmp_path))


def _fail(path: Path, *, after_logging: bool) -> None:
    with open_run(path, command="x", config=Example(output=path)) as run:
        run.checkpoints.mkdir()
        if after_logging:
            run.tracker.log(0, {"loss": 1.0})
        raise DataError("no data")


def test_a_run_that_fails_at_once_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        _fail(tmp_path / "a/b/run", after_logging=False)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_later_keeps_what_it_made(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        _fail(tmp_path / "run", after_logging=True)
    assert {p.name for p in (tmp_path / "run").rglob("*") if p.is_file()} == {
        "config.yaml",
        "run.json",
        "metrics.jsonl",
    }


def test_a_digest_follows_names_and_contents_but_not_the_run_record(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    first = digest_path(tmp_path)
    (tmp_path / "robossl").mkdir()
    (tmp_path / "robossl/run.json").write_text("{}")
    assert digest_path(tmp_path) == first
    (tmp_path / "a.txt").write_text("2")
    second = digest_path(tmp_path)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert len({first, second, digest_path(tmp_path), digest_path(tmp_path / "b.txt")}) == 4
    with pytest.raises(DataError, match="there is no file or directory"):
        digest_path(tmp_path / "none")


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1}) != fingerprint({"a": 1, "b": [3]})


def test_a_seed_repeats_all_generators() -> None:
    draws = []
    for _ in range(2):
        seed_everything(3)
        draws.append((random.random(), np.random.rand(), float(torch.rand(()))))  # noqa: NPY002
    assert draws[0] == draws[1]


def test_further_processes_of_torchrun_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    with open_run(tmp_path / "run", command="x", config=Example(output=tmp_path)) as run, run.time("train"):
        run.tracker.cut_back(0)
        run.tracker.log(0, {"loss": 1.0})
        run.tracker.log_artifact("encoder", kind="encoder", path=run.encoder)
        assert not run.tracker.log_video("a", np.zeros((1, 8, 8, 3), np.uint8)).exists()
        assert run.finish({}) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_further_process_does_not_trip_over_what_the_first_one_is_writing_and_sees_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would refuse a directory that is half made, or wait for a first process that has nothing to do."""
    monkeypatch.setenv("RANK", "1")
    (tmp_path / "config.yaml").write_text(dump_config(Example(output=tmp_path)))
    assert open_run(tmp_path, command="x", config=Example(output=tmp_path)).result is None
    (tmp_path / "run.json").write_text('{"command": "x"}')
    (tmp_path / "result.json").write_text('{"loss": 1.0}')
    assert open_run(tmp_path, command="x", config=Example(output=tmp_path)).result == {"loss": 1.0}


def test_a_further_process_refuses_what_the_first_one_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is no run directory"):
        open_run(tmp_path, command="x", config=Example(output=tmp_path))


def test_one_process_at_a_time_is_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE_S", 0.0)
    config = Example(output=tmp_path / "run")
    with open_run(config.output, command="pretrain", config=config) as first:
        other = open_run(config.output, command="pretrain", config=config)
        with pytest.raises(ConfigError, match=r"another process is running in .*run; wait for it"), other:
            pass
        first.finish({})
    with open_run(config.output, command="pretrain", config=config) as later:
        assert later.result is not None
