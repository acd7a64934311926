"""What the demo does with a folder of footage: data sets and videos together, each with its own held-out episodes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from recordings import make_episode, write_stamped

from robossl.config.demo import DemoConfig
from robossl.config.pretrain import ObjectiveConfig
from robossl.config.recipe import FOOTAGE_TEST_FRACTION, RecipeConfig, pretrain_config
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource
from robossl.encoders import build_encoder, save_encoder
from robossl.stages import demo_footage
from robossl.stages.demo_footage import right_arm, study_footage


@pytest.fixture
def footage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "footage"
    writer = EpisodeWriter(root / "arm", fps_hz=20, robot_type="panda")
    for seed in range(6):
        writer.append(make_episode(seed, num_steps=14))
    writer.finalize()
    for number in range(3):
        write_stamped(root / f"clip{number}.mp4", 16)
    (root / "broken.mp4").write_bytes(b"no video")
    return root


def test_footage_gives_tables_of_future_frames_and_of_probes(
    tmp_path: Path, footage: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    small = ObjectiveConfig(name="future_frames", params={"num_context": 2, "horizons": (1, 3), "widths": (8, 16)})
    load = demo_footage.load_config
    monkeypatch.setattr(
        demo_footage,
        "load_config",
        lambda cls, path, overrides: replace(
            load(cls, path, overrides), objectives=(small,), image_size=(32, 32), batch_size=2
        ),
    )
    encoder = tmp_path / "encoder"
    save_encoder(build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16), strides=(4, 2)), encoder, {})
    config = DemoConfig(output=tmp_path / "demo", footage=footage, footage_steps=3, recipe=RecipeConfig())
    results = study_footage(config, footage, encoder)
    frames, *probes = (table for result in results for table in result["tables"])
    assert {row[0] for row in frames["rows"]} == {"footage/arm", "footage/videos"}
    for row in frames["rows"]:
        values = dict(zip(frames["columns"], row, strict=True))
        assert values["gain_db"] == pytest.approx(values["psnr_db"] - values["copy_psnr_db"])
        assert values["n"] > 0
    assert len(probes) == 2, "the encoder of the demo, and that of the predictor"
    assert all({row[0] for row in table["rows"]} == {"encoder", "pca-64"} for table in probes)
    assert "broken.mp4" in caplog.text
    probed = json.loads((config.output / "probe-arm-mixed" / "result.json").read_text())
    assert probed["encoder"] == str(encoder)


def test_footage_adds_steps_to_pretraining_and_takes_none_from_play(tmp_path: Path) -> None:
    recipe, play = RecipeConfig(pretrain_steps=850), (Path("reach"), Path("push"))
    alone = pretrain_config(recipe, play, tmp_path, seed=0)
    mixed = pretrain_config(recipe, play, tmp_path, seed=0, footage=Path("footage"))
    share = sum(s.weight for s in mixed.sources if s.path in play) / sum(s.weight for s in mixed.sources)
    assert mixed.num_steps * share == pytest.approx(alone.num_steps, abs=1)
    assert mixed.test_fraction == FOOTAGE_TEST_FRACTION


def test_the_right_arm_is_found_by_the_names_of_its_joints(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = LeRobotSource(footage / "arm")
    names = ("kLeftElbow", "kRightShoulderPitch", "kRightWristYaw", "kRightHandIndex")
    monkeypatch.setattr(source, "names", lambda key: names)
    assert right_arm(source) == (1, 2)
