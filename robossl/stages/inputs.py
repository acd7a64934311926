"""What a stage reads, named by content as it is now: to see whether a result still is one of these inputs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.config.pretrain import PretrainConfig
from robossl.config.probe import ProbeConfig
from robossl.config.reinforce import ReinforceConfig
from robossl.data.sources import discover_sources
from robossl.runs import digest_path


def changed_inputs(config: Any, result: Mapping[str, Any]) -> list[Path]:
    """Return the inputs of a stage whose content is not among those that its result was made from.

    What is no longer there counts as unchanged: a result outlives data that was removed to save space. Digests take
    one reading of the files, which is little beside any stage.
    """
    known = set(result.get("inputs", {}).values())
    data, models = _paths(config)
    digests = [(path, source.digest) for path in data if path.exists() for source in discover_sources(path).values()]
    digests += [(path, digest_path(path)) for path in models if path.exists()]
    return list(dict.fromkeys(path for path, digest in digests if digest not in known))


def _paths(config: Any) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the paths of the data sets, and of encoders and policies (where they are no words such as `random`)."""
    match config:
        case PretrainConfig():
            return tuple(source.path for source in config.sources), ()
        case ProbeConfig():
            return (config.source, *config.transfer), (Path(config.encoder),)
        case FinetuneConfig():
            return (config.demonstrations,), () if config.mode == "scratch" else (Path(config.encoder),)
        case ReinforceConfig() if config.policy is not None:
            return (), (config.policy,)
        case ReinforceConfig():
            return (), () if config.mode == "scratch" else (Path(config.encoder),)
        case EvaluateConfig():
            return (), (Path(config.policy),)
        case _:
            return (), ()
