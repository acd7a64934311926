"""Configurations are read strictly, from YAML and the command line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from robossl.config.evaluate import EvaluateConfig
from robossl.config.load import config_path, dump_config, load_config
from robossl.config.schema import STRICT
from robossl.config.tracking import TrackingConfig
from robossl.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Part:
    __pydantic_config__ = STRICT

    weight: float = 1.0
    name: str = "default"
    params: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Whole:
    """An example."""

    __pydantic_config__ = STRICT

    path: Path
    num_steps: int = 10
    learning_rate: float = 0.1
    mode: Literal["fast", "slow"] = "fast"
    verbose: bool = False
    size: tuple[int, int] | None = None
    names: tuple[str, ...] = ("a",)
    weights: dict[str, float] = field(default_factory=dict)
    part: Part = field(default_factory=lambda: Part(weight=5.0))
    other: Part | None = None
    parts: tuple[Part, ...] = ()
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


def _load(tmp_path: Path, text: str, *overrides: str) -> Whole:
    (tmp_path / "c.yaml").write_text(text)
    return load_config(Whole, tmp_path / "c.yaml", overrides)


def test_the_command_line_goes_over_yaml_and_yaml_over_defaults(tmp_path: Path) -> None:
    config = _load(
        tmp_path, "path: a/b\nnum_steps: 20\nlearning_rate: 1e-3\n", "--num-steps=30", "--tracking.wandb=offline"
    )
    assert (config.path, config.num_steps, config.learning_rate) == (Path("a/b"), 30, 1e-3)
    assert (config.mode, config.tracking.wandb) == ("fast", "offline")


def test_a_value_of_a_mapping_within_a_list_has_a_flag(tmp_path: Path) -> None:
    text = "path: x\nparts:\n  - params: {top_k: 2.0}\n  - params: {top_k: 3.0}"
    config = _load(tmp_path, text, "--parts.1.params.top-k=5")
    assert [part.params for part in config.parts] == [{"top_k": 2.0}, {"top_k": 5.0}]


def test_truth_in_a_mapping_is_written_as_in_yaml() -> None:
    flags = ["--axes", "texture", "true", "light_colour", "false", "camera_position", "0.3", "0.4"]
    axes = load_config(EvaluateConfig, None, ["--policy=expert", *flags]).axes
    assert axes == {"texture": True, "light_colour": False, "camera_position": (0.3, 0.4)}


def test_a_required_value_may_come_from_the_command_line(tmp_path: Path) -> None:
    assert _load(tmp_path, "num_steps: 3", "--path=x").path == Path("x")


def test_a_part_keeps_the_defaults_that_its_owner_gave_it(tmp_path: Path) -> None:
    assert _load(tmp_path, "path: x\npart: {name: n}").part == Part(weight=5.0, name="n")


def test_a_dumped_configuration_loads_back_equal(tmp_path: Path) -> None:
    config = _load(tmp_path, "path: x\nsize: [3, 4]\nnames: [p, q]\nweights: {a: 1}\nother: {weight: 2.5}")
    assert config.size == (3, 4)
    assert config.other == Part(weight=2.5)
    assert _load(tmp_path, dump_config(config)) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path: x\nnum_step: 3", "unknown key 'num_step'; did you mean 'num_steps'\\?"),
        ("path: x\npart: {wieght: 3}", "unknown key 'part.wieght'; did you mean 'part.weight'\\?"),
        ("path: x\nzzzzzzz: 3", "unknown key 'zzzzzzz'; allowed are path, num_steps"),
        ("path: x\nnum_steps: three", "num_steps: input should be a valid integer.*got 'three'"),
        ("path: x\nnum_steps: 3.0", "num_steps: .*got 3.0"),
        ("path: x\nnum_steps: true", "num_steps: .*got True"),
        ("path: x\nlearning_rate: '3'", "learning_rate: .*number, got '3'"),
        ("path: x\nmode: medium", "mode: .*'fast' or 'slow', got 'medium'"),
        ("path: x\npart: {weight: heavy}", "part.weight: .*got 'heavy'"),
        ("path: x\npath: y", "'path' stands there twice"),
        ("- path", "holds a list; write a mapping"),
        ("path: [", "is no valid YAML"),
        ("num_steps: 3", "missing: --path"),
    ],
)
def test_wrong_yaml_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        _load(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--num-step=3", "unknown flag '--num-step'; did you mean '--num-steps'\\?"),
        ("--part.wieght=3", "did you mean '--part.weight'\\?"),
        ("--num-steps=three", "--num-steps: invalid literal"),
        ("--num-steps", "Missing value for argument '--num-steps'"),
        ("--mode=medium", "'medium'.*'fast', 'slow'"),
        ("--learning-rate=much", "--learning-rate"),
        ("--size=3", "--size"),
        ("word", "Unrecognized options: word"),
    ],
)
def test_wrong_flags_are_refused_in_one_line(tmp_path: Path, flag: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        _load(tmp_path, "path: x", flag)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_answered_with_the_closest_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "robossl"
    (package / "configs/collect").mkdir(parents=True)
    (package / "configs/collect/push.yaml").write_text("seed: 1")
    monkeypatch.setattr("robossl.__file__", str(package / "__init__.py"))
    assert config_path("configs/collect/push.yaml") == package / "configs/collect/push.yaml"
    with pytest.raises(ConfigError, match=r"did you mean 'configs/collect/push.yaml'\?"):
        config_path("configs/collect/pusch.yaml")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't read"):
        load_config(Whole, tmp_path / "none.yaml")
