"""`robossl pretrain` from episodes to an encoder on disk: two steps, a resume, and clear refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_methods import METHODS, OLDER
from two_sources import OBJECTIVES, pretrain_config, run

from robossl.config.load import dump_config, load_config
from robossl.config.pretrain import AugmentationConfig, EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.encoders import build_encoder, load_card, load_encoder, save_encoder
from robossl.errors import ConfigError, EncoderError
from robossl.objectives import OBJECTIVE_NAMES, build_objectives
from robossl.runs import open_run
from robossl.stages import pretrain_sources
from robossl.stages.pretrain import pretrain
from robossl.training import loop
from robossl.training.checkpoint import save_checkpoint

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(path.relative_to(ROOT) for path in ROOT.glob("configs/pretrain/**/*.yaml"))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PretrainConfig:
    return pretrain_config(tmp_path, monkeypatch)


def test_an_encoder_comes_out_with_its_card_and_scores_of_future_frames(config: PretrainConfig) -> None:
    result = run(config)
    encoder = load_encoder(config.output / "encoder")
    assert encoder.image_size == (24, 32)
    assert encoder(torch.zeros(1, 3, 24, 32, dtype=torch.uint8)).shape == (1, 16)
    card = load_card(config.output / "encoder")
    assert card["trained_on"]["inputs"] == result["inputs"]
    assert card["trained_on"]["cameras"] == ["front"]
    assert set(card["objectives"]) == {spec.name for spec in OBJECTIVES}
    scores = result["future_frames"]["0-episodes"]["horizons"]
    assert scores.keys() == {"1", "3"}
    assert scores["1"]["copy_psnr_db"] > scores["3"]["copy_psnr_db"]
    assert 1 > scores["1"]["copy_ssim"] > scores["3"]["copy_ssim"]
    kept = np.load(config.output / "future_frames" / "0-episodes.npz")
    assert kept["predicted"].shape == kept["truth"].shape
    steps = [json.loads(line)["step"] for line in (config.output / "metrics.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3]


def test_only_training_episodes_are_read_in_training(config: PretrainConfig) -> None:
    for item in pretrain_sources.open_sources(config):
        assert not set(item.train.tolist()) & set(item.test.tolist())
        assert len(item.test) > 0


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(config: PretrainConfig, monkeypatch, tmp_path) -> None:
    run(config)
    stopped = replace(config, output=tmp_path / "stopped")
    original = loop.save_checkpoint

    def save_then_stop(*arguments, step: int, **keywords):
        path = original(*arguments, step=step, **keywords)
        if step == 2:
            raise KeyboardInterrupt
        return path

    monkeypatch.setattr(loop, "save_checkpoint", save_then_stop)
    with pytest.raises(KeyboardInterrupt):
        run(stopped)
    assert not (stopped.output / "encoder").exists()
    monkeypatch.setattr(loop, "save_checkpoint", original)
    run(stopped)
    first, second = (load_encoder(c.output / "encoder").state_dict() for c in (config, stopped))
    assert all(torch.equal(first[name], second[name]) for name in first)
    rows = [json.loads(line) for line in (stopped.output / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 1, 2, 3]


def test_the_config_survives_yaml(config: PretrainConfig, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(config))
    assert load_config(PretrainConfig, path) == config
    changed = load_config(PretrainConfig, path, ["--sources.0.weight=2.0", "--num-steps=7"])
    assert changed.sources[0].weight == 2.0
    assert changed.num_steps == 7


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"num_steps": 0}, "num_steps is 0; it must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; it must be positive"),
        ({"test_fraction": 1.0}, "test_fraction is 1.0"),
        ({"average_momentum": 1.0}, "average_momentum is 1.0"),
        ({"lpips_weights": Path("alexnet.pth")}, r"image_size is \(24, 32\); LPIPS needs frames of at least 31 px"),
        ({"lpips_weights": Path("alexnet.pth"), "objectives": OBJECTIVES[:1]}, "add the objective future_frames, or"),
        (
            {"lpips_weights": Path("alexnet.pth"), "image_size": (32, 32)},
            r"can't read lpips_weights alexnet.pth .*; give torchvision's AlexNet or VGG-16",
        ),
        ({"sources": ()}, "sources is empty"),
        ({"sources": (SourceConfig(path=Path("nowhere")),)}, r"sources.0.path nowhere does not exist"),
        ({"objectives": (ObjectiveConfig(name="paired_look"),)}, "did you mean 'paired_looks'"),
        ({"objectives": OBJECTIVES[:1]}, "no objective 'time_contrast' in this run"),
    ],
)
def test_wrong_settings_are_refused_in_one_line_and_leave_nothing(config, changes: dict, text: str) -> None:
    wrong = replace(config, **changes)
    with pytest.raises(ConfigError, match=text) as error:
        run(wrong)
    assert "\n" not in str(error.value)
    assert not wrong.output.exists()


def test_a_weight_of_a_source_must_be_positive(config: PretrainConfig) -> None:
    wrong = replace(config, sources=(replace(config.sources[0], weight=0.0),))
    with pytest.raises(ConfigError, match=r"weight of source .*episodes must be positive"):
        run(wrong)
    (view, *_), same = pretrain_sources.open_sources(config)[0].views, config.sources[0]
    with pytest.raises(ConfigError, match=r"name one twice: .*; name each once"):
        run(replace(config, sources=(replace(same, views=(view, view)),)))
    twice = replace(config, sources=(config.sources[0], config.sources[0]))
    assert len(pretrain_sources.open_sources(twice)) == 2, "the same data may come in twice, for other objectives"


def test_every_pretext_task_goes_on_to_the_same_bits(config: PretrainConfig, tmp_path: Path) -> None:
    """All in one run, which is stopped after a step: weights, heads, slow copies and draws of each are as without."""
    every = {**METHODS, **OLDER}
    assert set(every) == set(OBJECTIVE_NAMES)
    config = replace(
        config,
        sources=config.sources[:1],
        objectives=tuple(ObjectiveConfig(name=name, params=params) for name, params in every.items()),
        num_steps=2,
    )
    states = {}
    for name in ("whole", "stopped"):
        with open_run(tmp_path / name, command="pretrain", config=config) as opened:
            if name == "stopped":
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(loop, "save_checkpoint", saved_then_stopped)
                    with pytest.raises(KeyboardInterrupt):
                        pretrain(config, run=opened)
            pretrain(config, run=opened)
        states[name] = torch.load(opened.checkpoints / "last.pt", weights_only=True)
    assert states["stopped"]["step"] == 2
    for key, value in states["whole"]["module"].items():
        assert torch.equal(value, states["stopped"]["module"][key]), key


def saved_then_stopped(*arguments, **keywords) -> None:
    save_checkpoint(*arguments, **keywords)
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("objective", "changes", "text"),
    [
        (ObjectiveConfig(name="r3m"), {"batch_size": 1}, "batch_size is 1; objective 'r3m' needs at least 2 clips"),
        (
            ObjectiveConfig(name="paired_looks", params={"num_instants": 1}),
            {"batch_size": 1},
            "batch_size is 1; objective 'paired_looks' needs at least 2 clips",
        ),
        (
            ObjectiveConfig(name="simclr"),
            {"augmentation": AugmentationConfig(shift_px=0, brightness=0, contrast=0, saturation=0)},
            "objective 'simclr' compares augmentations of one frame, and augmentation is off",
        ),
        (
            ObjectiveConfig(name="simclr"),
            {"augmentation": AugmentationConfig(shift_px=13)},
            "shift_px is 13, but the encoder sees frames of 24 x 32 px; it must be 0 to 12, half of",
        ),
        (ObjectiveConfig(name="forward_dynamics"), {}, "forward_dynamics: it needs actions, and source '0-video' has"),
        (ObjectiveConfig(name="multi_view_tcn"), {}, r"needs 2 synchronous views .* gives 1 \(front\); name more"),
        (ObjectiveConfig(name="masked_video", params={"block_px": 5}), {}, "block_px is 5; it must divide image_size"),
        (ObjectiveConfig(name="r3m", params={"length_weight": -1.0}), {}, "length_weight: input should be greater"),
    ],
)
def test_what_an_objective_lacks_is_said_before_training_starts(config, objective, changes: dict, text: str) -> None:
    video = replace(config.sources[1], objectives=())
    wrong = replace(config, sources=(video,), objectives=(objective,), **changes)
    with pytest.raises(ConfigError, match=text) as error:
        run(wrong)
    assert "\n" not in str(error.value)
    assert not wrong.output.exists()


CLIPS = EncoderConfig(name="conv2plus1d", feature_dim=16, params={"widths": (8, 16), "strides": (4, 2)})


def test_a_video_backbone_is_trained_on_clips_and_refused_without(config: PretrainConfig) -> None:
    config = replace(config, encoder=CLIPS, sources=config.sources[:1], num_steps=2)
    with pytest.raises(
        ConfigError, match="encoder 'conv2plus1d' is for clips, and no objective here encodes frames in"
    ):
        run(replace(config, objectives=OBJECTIVES[:2]))
    clips = tuple(
        ObjectiveConfig(name=name)
        for name in ("masked_video", "masked_latents", "future_features", "recurrent_frames", "parallel_frames")
    )
    run(replace(config, objectives=(*OBJECTIVES, *clips)))
    trained = load_encoder(config.output / "encoder")
    fresh = build_encoder("conv2plus1d", image_size=(24, 32), feature_dim=16, widths=(8, 16), strides=(4, 2))
    assert trained.num_before == 4
    moving = torch.randint(0, 256, (1, 6, 3, 24, 32), dtype=torch.uint8)
    assert not torch.allclose(trained.encode_clip(moving)[0, -1], trained(moving[0, -1:])[0])
    assert trained.state_dict().keys() == fresh.state_dict().keys()


def test_an_objective_that_no_source_feeds_is_named_where_others_are(config: PretrainConfig, caplog) -> None:
    video = replace(config.sources[1], objectives=())
    objectives = (ObjectiveConfig(name="time_contrast"), ObjectiveConfig(name="inverse_dynamics"))
    run(replace(config, sources=(video,), objectives=objectives, num_steps=1))
    assert caplog.messages == [
        "objective 'inverse_dynamics' takes no part: it needs actions, and source '0-video' has none"
    ]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_can_be_read_and_their_objectives_built(path: Path) -> None:
    config = load_config(PretrainConfig, ROOT / path)
    encoder = build_encoder(config.encoder.name, image_size=config.image_size)
    build_objectives([(spec.name, spec.weight, spec.params) for spec in config.objectives], encoder)
    assert (ROOT / path).read_text().startswith(f"# robossl pretrain {path}")


def test_a_horizon_that_fits_into_no_episode_is_refused(config: PretrainConfig) -> None:
    far = ObjectiveConfig(name="future_frames", params={"num_context": 2, "horizons": (1, 300), "widths": (8, 16)})
    with pytest.raises(ConfigError, match="need 302 frames in a row, the longest episode has 1"):
        run(replace(config, objectives=(far,), sources=config.sources[:1]))


def test_schedules_ramps_and_accumulation_reach_the_loop(config: PretrainConfig) -> None:
    ramped = (replace(OBJECTIVES[0], ramp_steps=2, start_weight=0.5), OBJECTIVES[1])
    run(replace(config, objectives=ramped, sources=config.sources[:1], accumulate=2, schedule="constant"))
    rows = [json.loads(line) for line in (config.output / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    weights = [(row["loss"] - row["time_contrast/loss"]) / row["paired_looks/loss"] for row in rows]
    assert weights == pytest.approx([0.5, 0.75, 1, 1], rel=1e-3)


@pytest.mark.slow
def test_a_compiled_encoder_learns_the_same_and_goes_on_to_the_same_bits(config: PretrainConfig, tmp_path) -> None:
    config = replace(config, objectives=OBJECTIVES[:2], sources=config.sources[:1])
    run(config)
    weights = {}
    for name in ("whole", "stopped"):
        compiled = replace(config, compile=True, output=tmp_path / name)
        if name == "stopped":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(loop, "save_checkpoint", saved_then_stopped)
                with pytest.raises(KeyboardInterrupt):
                    run(compiled)
        run(compiled)
        weights[name] = load_encoder(compiled.output / "encoder").state_dict()
    plain = load_encoder(config.output / "encoder").state_dict()
    for name, value in plain.items():
        torch.testing.assert_close(weights["whole"][name], value, rtol=1e-2, atol=1e-3)
        assert torch.equal(weights["whole"][name], weights["stopped"][name])


def test_a_run_starts_from_given_weights_and_keeps_those_beside_the_average(config: PretrainConfig, tmp_path) -> None:
    start = build_encoder("conv", image_size=(24, 32), feature_dim=16, widths=(8, 16), strides=(4, 2))
    save_encoder(start, tmp_path / "start")
    run(
        replace(
            config,
            encoder=replace(config.encoder, weights=tmp_path / "start"),
            num_steps=1,
            learning_rate=1e-9,
            average_momentum=0.5,
        )
    )
    for name in ("encoder", "encoder-unaveraged"):
        weight = load_encoder(config.output / name).pooling.linear.weight
        torch.testing.assert_close(weight, start.pooling.linear.weight, rtol=0, atol=1e-6)


def test_compiling_without_a_compiler_is_refused_in_one_line(config: PretrainConfig, monkeypatch) -> None:
    monkeypatch.setattr("robossl.encoders.encoder.shutil.which", lambda name: None)
    with pytest.raises(EncoderError, match=r"compile needs a C\+\+ compiler"):
        run(replace(config, compile=True))
