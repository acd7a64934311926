"""What the demo tells about recorded footage: future frames, and what the features know of the robot."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from robossl.config.demo import DemoConfig
from robossl.config.load import config_path, load_config
from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.config.probe import ProbeConfig
from robossl.config.recipe import FOOTAGE_TEST_FRACTION
from robossl.data.sources import LeRobotSource, discover_sources
from robossl.stages.chain import run_stage
from robossl.stages.pretrain import pretrain
from robossl.stages.probe import probe

STATE_KEY = "observation.state"


def study_footage(config: DemoConfig, footage: Path, encoder: Path) -> list[dict[str, Any]]:
    """Train a predictor of future frames on the footage and probe the encoder on each recording with robot states."""
    recipe = load_config(PretrainConfig, config_path("configs/pretrain/footage.yaml"), [])
    how = replace(
        recipe,
        output=config.output / "pretrain-footage",
        sources=(SourceConfig(path=footage),),
        num_steps=config.footage_steps,
        test_fraction=FOOTAGE_TEST_FRACTION,
        seed=config.seed,
        tracking=config.recipe.tracking,
    )
    results = [run_stage("pretrain", pretrain, how)]
    for name, source in _probed(footage).items():
        for encoder_name, path in {"mixed": encoder, "footage": how.output / "encoder"}.items():
            results.append(run_stage("probe", probe, _probe_config(config, path, source, f"{name}-{encoder_name}")))
    return results


def num_footage_stages(footage: Path) -> int:
    """Return how many stages `study_footage` has: training, and a probe of two encoders on each recording."""
    return 1 + 2 * len(_probed(footage))


def _probed(footage: Path) -> dict[str, LeRobotSource]:
    """Return the recordings that encoders are probed on."""
    found = discover_sources(footage).items()
    return {name: source for name, source in found if isinstance(source, LeRobotSource) and _can_be_probed(source)}


def _probe_config(config: DemoConfig, encoder: Path, source: LeRobotSource, name: str) -> ProbeConfig:
    return ProbeConfig(
        output=config.output / f"probe-{name.replace('/', '-')}",
        encoder=str(encoder),
        source=source.root,
        camera=source.cameras[0],
        key=STATE_KEY,
        dims=right_arm(source),
        test_fraction=FOOTAGE_TEST_FRACTION,  # as in training: what was trained on is not scored
        tracking=config.recipe.tracking,
    )


def _can_be_probed(source: LeRobotSource) -> bool:
    """Return whether there are states to read out, and episodes of two origins to fit and to test on."""
    origins = {source.episode_key(episode) for episode in range(len(source.lengths))}
    return STATE_KEY in source.features and len(origins) > 1


def right_arm(source: LeRobotSource) -> tuple[int, ...]:
    """Return the columns of the state that are joints of a right arm, by their names; none: all columns are probed."""
    parts = ("shoulder", "elbow", "wrist")
    names = [name.lower() for name in source.names(STATE_KEY)]
    return tuple(i for i, name in enumerate(names) if "right" in name and any(part in name for part in parts))
