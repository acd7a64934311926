"""What a command reads is there: looked up before anything heavy is imported and anything is written."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from robossl.config.collect import CollectConfig
from robossl.config.demo import DemoConfig
from robossl.config.embed import EmbedConfig
from robossl.config.env import SCRIPTED
from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.config.import_footage import ImportConfig
from robossl.config.merge import MergeConfig, SplitConfig
from robossl.config.pretrain import PretrainConfig
from robossl.config.probe import ProbeConfig
from robossl.config.reinforce import ReinforceConfig
from robossl.config.report import ReportConfig
from robossl.config.rerender import RerenderConfig
from robossl.config.transfer import TransferConfig
from robossl.errors import ConfigError, closest

NO_ENCODER = ("random", "state")
"""Words that stand for an encoder."""


def check_inputs(config: Any) -> None:
    """Refuse a configuration whose files or folders are not there.

    Raises:
        ConfigError: One is missing; the text names the setting and what may stand there.
    """
    for name, path, wanted in _paths(config):
        if not path.exists():
            raise ConfigError(f"{name} {path} does not exist; {wanted}")
    match config:
        case CollectConfig() | EvaluateConfig():
            check_policy(config.policy)
        case TransferConfig():
            for policy in config.policies.values():
                check_policy(policy)
        case FinetuneConfig(mode="scratch") | ReinforceConfig(mode="scratch"):
            pass  # whatever `encoder` says
        case ReinforceConfig() if config.policy is not None:
            pass
        case ProbeConfig() | FinetuneConfig() | ReinforceConfig() if (
            config.encoder not in NO_ENCODER and not Path(config.encoder).exists()
        ):
            raise ConfigError(
                f"no encoder at {config.encoder}; pass the encoder/ directory of a pretraining run, or "
                f"{' or '.join(NO_ENCODER[:1] if isinstance(config, ProbeConfig) else NO_ENCODER)}"
                f"{closest(config.encoder, NO_ENCODER)}"
            )


def check_policy(policy: str) -> None:
    """Refuse what is neither a scripted policy nor a directory.

    Raises:
        ConfigError: There is no such policy.
    """
    if policy not in SCRIPTED and not Path(policy).exists():
        raise ConfigError(
            f"policy {policy!r} is neither {', '.join(SCRIPTED)} nor the policy/ directory of a finetuning run"
            f"{closest(policy, SCRIPTED)}"
        )


def _paths(config: Any) -> Iterable[tuple[str, Path, str]]:
    """Yield what names each path in a complaint, the path, and what to do."""
    match config:
        case ImportConfig():
            yield "path", config.path, "give a folder of videos, a video or a LeRobot data set"
        case EmbedConfig():
            yield "encoder", config.encoder, "give the encoder/ directory of a pretraining run"
            yield "path", config.path, "give a data set, a folder of videos or a video"
        case MergeConfig():
            for dataset in config.datasets:
                yield "data set", dataset, "give data sets that robossl wrote"
        case SplitConfig():
            yield "dataset", config.dataset, "give a data set that robossl wrote"
        case RerenderConfig():
            yield "dataset", config.dataset, "give a data set that robossl collect wrote"
        case PretrainConfig():
            for number, source in enumerate(config.sources):
                yield f"sources.{number}.path", source.path, "collect episodes or name another path"
            if config.encoder.weights is not None:
                yield "encoder.weights", config.encoder.weights, "give a checkpoint, or an encoder/ directory"
            if config.lpips_weights is not None:
                yield "lpips_weights", config.lpips_weights, "give torchvision's checkpoint of AlexNet or VGG-16"
        case ProbeConfig():
            for name, paths in (
                ("source", (config.source,)),
                ("transfer", config.transfer),
                ("identity_beside", config.identity_beside),
            ):
                for path in paths:
                    yield name, path, "collect episodes or name another data set"
        case FinetuneConfig():
            yield "demonstrations", config.demonstrations, "collect some with robossl collect, or name another data set"
        case ReportConfig():
            for run in config.runs:
                yield "run directory", run, "give directories of finished runs"
        case DemoConfig() if config.footage is not None:
            yield "footage", config.footage, "name a folder of videos or of LeRobot data sets"
