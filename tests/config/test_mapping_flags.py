"""Flags that take names with values: none is dropped, and none goes without."""

import pytest

from robossl.config.collect import CollectConfig
from robossl.config.load import load_config
from robossl.config.sweep import SweepConfig
from robossl.config.transfer import TransferConfig
from robossl.errors import ConfigError


@pytest.mark.parametrize(
    ("cls", "words", "text"),
    [
        (TransferConfig, ["--policies", "a", "x", "a", "y"], "--policies has the name 'a' twice"),
        (TransferConfig, ["--policies=a", "x", "b", "y", "a", "z"], "--policies has the name 'a' twice"),
        (
            TransferConfig,
            ["--policies", "runs/x/policy"],
            "each with its value after it.*--policies ours runs/x/policy",
        ),
        (CollectConfig, ["--axes", "light", "true", "light", "0", "1"], "--axes has the name 'light' twice"),
        (SweepConfig, ["--settings", "seed", "1", "seed", "2"], "--settings has the name 'seed' twice"),
    ],
)
def test_a_name_twice_or_without_a_value_is_refused(cls: type, words: list[str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        load_config(cls, None, words)


def test_values_may_repeat() -> None:
    both = load_config(TransferConfig, None, ["--policies", "a", "expert", "b", "expert", "--targets", "nominal"])
    assert both.policies == {"a": "expert", "b": "expert"}
    axes = load_config(CollectConfig, None, ["--axes", "light", "true", "camera", "0.5", "0.5", "colour", "true"]).axes
    assert axes == {"light": True, "camera": (0.5, 0.5), "colour": True}
    sweep = load_config(SweepConfig, None, ["--grid", "a", "1", "1", "b", "x", "x"])
    assert dict(sweep.grid)
