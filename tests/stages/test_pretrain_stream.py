"""Pretraining that streams its frames: it resumes bit for bit, and a short measurement may choose the way."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from recordings import write_stamped

from robossl import cli
from robossl.config.pretrain import EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.data import reading_plan
from robossl.encoders import load_encoder
from robossl.runs import open_run
from robossl.stages import pretrain_sources
from robossl.stages.pretrain import pretrain
from robossl.training import loop


@pytest.fixture
def config(tmp_path: Path) -> PretrainConfig:
    (tmp_path / "footage").mkdir()
    for number in range(4):
        write_stamped(tmp_path / f"footage/{number}.mp4", 40)
    return PretrainConfig(
        output=tmp_path / "run",
        sources=(SourceConfig(path=tmp_path / "footage", frames="stream"),),
        objectives=(ObjectiveConfig(name="time_contrast", params={"num_anchors": 3}),),
        encoder=EncoderConfig(feature_dim=16, params={"widths": (8, 16), "strides": (4, 2)}),
        image_size=(24, 32),
        batch_size=4,
        num_steps=6,
        checkpoint_every=1,
        cache_dir=tmp_path / "cache",
        device="cpu",
    )


def run(config: PretrainConfig) -> dict:
    with open_run(config.output, command="pretrain", config=config) as opened:
        return pretrain(config, run=opened)


def weights(config: PretrainConfig) -> dict[str, torch.Tensor]:
    return load_encoder(config.output / "encoder").state_dict()


def test_a_streamed_run_that_was_stopped_goes_on_bit_for_bit(
    config: PretrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(config)
    assert not (config.output.parent / "cache").exists(), "nothing is kept on disk"
    stopped, save = replace(config, output=config.output.parent / "stopped"), loop.save_checkpoint

    def save_and_stop(directory: Path, *, step: int, **rest: object) -> None:
        save(directory, step=step, **rest)
        if step == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_checkpoint", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run(stopped)
    monkeypatch.setattr(loop, "save_checkpoint", save)
    assert run(stopped)["first_step"] == 3
    assert all(torch.equal(value, weights(stopped)[name]) for name, value in weights(config).items())


def test_auto_says_in_one_line_what_it_takes_and_keeps_to_it(
    config: PretrainConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rates = {"streamed": 100.0, "built": 50.0, "cached": 1e6}
    for name in rates:
        monkeypatch.setattr(reading_plan, f"{name}_frames_per_s", lambda *_, name=name, **__: rates[name])
    auto = replace(config, sources=(replace(config.sources[0], frames="auto"),))
    assert pretrain_sources.open_sources(auto, directory=auto.output.parent)[0].source.digest
    ways = auto.output.parent / "frames.json"
    assert json.loads(ways.read_text()) == {"0-footage": "stream"}, "96 frames wanted, 160 to build"
    assert "frames of 0-footage: stream, since 100 frames/s streamed, 50 into a cache and 1,000,000 out" in caplog.text
    rates["streamed"] = 1.0
    pretrain_sources.open_sources(auto, directory=auto.output.parent)
    assert json.loads(ways.read_text()) == {"0-footage": "stream"}, "a resume keeps to it"
    pretrain_sources.open_sources(auto)
    assert "frames of 0-footage: cache, since" in caplog.text
    monkeypatch.setenv("ROBOSSL_CACHE_GB", "1e-6")
    pretrain_sources.open_sources(replace(auto, image_size=(64, 64)))
    assert "stream, since a frame cache would take 0.00197 GB, and ROBOSSL_CACHE_GB allows 1e-06" in caplog.text


def test_the_doctor_measures_each_way(
    config: PretrainConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from robossl.stages import doctor_speed

    monkeypatch.setattr(doctor_speed, "MEASURE_S", 0.1)
    monkeypatch.setattr(reading_plan, "MEASURE_S", 0.1)
    output = config.output.parent / "speed"
    assert cli.main(["doctor", str(config.sources[0].path), "--speed", f"--output={output}"]) == 0
    printed = capsys.readouterr().out
    assert "at most: " in printed
    assert "done: for 30 epochs, frames: " in printed
    speed = json.loads((output / "result.json").read_text())["speed"]
    assert len(speed) == 5
    assert min(speed.values()) > 0
    assert "streamed in sequence" in (output / "report.html").read_text()
