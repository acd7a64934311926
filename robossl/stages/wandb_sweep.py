"""The grid of a sweep in the words of Weights & Biases, whose agents may then run it on many machines."""

from pathlib import Path

import yaml

from robossl.config.load import config_path, load_config
from robossl.config.pretrain import PretrainConfig
from robossl.config.sweep import SweepConfig
from robossl.errors import ConfigError
from robossl.runs.files import write_text

METRIC = "health/probe_r2"
"""Logged while an encoder is trained, so that agents need no second command."""


def write_wandb_sweep(config: SweepConfig, path: Path) -> Path:
    """Write the file that `wandb sweep` takes, and return its path.

    Raises:
        ConfigError: a setting has no flag, so that an agent could not pass it on.
    """
    fixed = {name: [value] for name, value in config.settings.items()}
    parameters = {**fixed, **config.grid, "seed": config.seeds, "tracking.wandb": ["online"]}
    for name, values in parameters.items():
        try:
            load_config(PretrainConfig, config_path(config.base), [f"--{name}={values[0]}"])
        except ConfigError as error:
            raise ConfigError(f"W&B passes settings as flags, and {name!r} has none ({error})") from None
    # each agent's run has a directory of its own; W&B puts its arguments where ${args} stands
    script = f'robossl pretrain {config.base} --output=runs/wandb-$WANDB_RUN_ID "$@"'
    value = {
        "method": "grid",
        "metric": {"name": METRIC, "goal": "maximize"},
        "command": ["bash", "-c", script, "robossl", "${args}"],
        "parameters": {name: {"values": list(values)} for name, values in parameters.items()},
    }
    write_text(path, f"# wandb sweep {path.name}\n{yaml.safe_dump(value, sort_keys=False)}")
    return path
