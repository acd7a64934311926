"""The table of commands: which configuration, which stage. Nothing heavy is imported before a command is called."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Command:
    """One subcommand of `robossl`."""

    config: str
    """Where its configuration class is, as `module:name`."""
    stage: str
    """Where its function is: `stage(config, run=run)` returns the result."""
    help: str
    """What it does, in one line."""
    next: str
    """What to do with the result; `{output}` is the output directory."""
    paths: str = ""
    """Field that paths on the command line go to, for example `robossl import PATH`; of several, one path each."""
    repeats: bool = False
    """Whether a finished run is run again instead of shown."""
    distributed: bool = False
    """Whether several processes of `torchrun` share its work out."""

    def load_config_class(self) -> type:
        """Import and return the configuration class."""
        return _load(self.config)

    def load_stage(self) -> Callable[..., dict[str, Any]]:
        """Import and return the function; this imports torch."""
        return _load(self.stage)


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


COMMANDS = {
    "collect": Command(
        config="robossl.config.collect:CollectConfig",
        stage="robossl.stages.collect:collect",
        help="roll out a policy or an expert and write the episodes as a LeRobot data set",
        next="train an encoder on it with robossl pretrain (see configs/pretrain/)",
    ),
    "import": Command(
        config="robossl.config.import_footage:ImportConfig",
        stage="robossl.stages.import_footage:import_footage",
        help="bring videos or another LeRobot data set in as a LeRobot data set",
        next="train an encoder on it with robossl pretrain (see configs/pretrain/)",
        paths="path",
    ),
    "rerender": Command(
        config="robossl.config.rerender:RerenderConfig",
        stage="robossl.stages.rerender:rerender",
        help="draw collected episodes again under other looks, cameras and sizes, as a new data set",
        next="train an encoder on it with robossl pretrain (see configs/pretrain/)",
        paths="dataset",
    ),
    "merge": Command(
        config="robossl.config.merge:MergeConfig",
        stage="robossl.stages.merge:merge",
        help="put the episodes of data sets into one, also into one that is there",
        next="robossl doctor {output}",
        paths="datasets",
        repeats=True,
    ),
    "split": Command(
        config="robossl.config.merge:SplitConfig",
        stage="robossl.stages.merge:split",
        help="divide a data set into train and test by episode",
        next="robossl doctor {output}/train",
        paths="dataset",
    ),
    "pretrain": Command(
        config="robossl.config.pretrain:PretrainConfig",
        stage="robossl.stages.pretrain:pretrain",
        help="train an encoder on episodes and footage, without labels",
        next="robossl probe --encoder={output}/encoder",
        distributed=True,
    ),
    "probe": Command(
        config="robossl.config.probe:ProbeConfig",
        stage="robossl.stages.probe:probe",
        help="measure what an encoder's features know",
        next="robossl report {output}",
    ),
    "sweep": Command(
        config="robossl.config.sweep:SweepConfig",
        stage="robossl.stages.sweep:sweep",
        help="pretrain with each combination of a few settings and rank them by a probe",
        next="see {output}/table.md",
    ),
    "finetune": Command(
        config="robossl.config.finetune:FinetuneConfig",
        stage="robossl.stages.finetune:finetune",
        help="clone demonstrations: an encoder becomes a policy",
        next="robossl evaluate --policy={output}/policy",
    ),
    "reinforce": Command(
        config="robossl.config.reinforce:ReinforceConfig",
        stage="robossl.stages.reinforce:reinforce",
        help="learn a policy from reward, on an encoder or from scratch",
        next="robossl evaluate --policy={output}/policy",
    ),
    "evaluate": Command(
        config="robossl.config.evaluate:EvaluateConfig",
        stage="robossl.stages.evaluate:evaluate",
        help="measure the success of a policy in each domain",
        next="robossl report {output}",
    ),
    "transfer": Command(
        config="robossl.config.transfer:TransferConfig",
        stage="robossl.stages.transfer:transfer",
        help="measure what policies keep in worlds that they were not trained in",
        next="open {output}/report.html in a browser",
        repeats=True,
    ),
    "embed": Command(
        config="robossl.config.embed:EmbedConfig",
        stage="robossl.stages.embed:embed",
        help="write an encoder's features of footage or episodes to a parquet file",
        next="read {output}/features.parquet, for example with pandas",
        paths="encoder path",
    ),
    "doctor": Command(
        config="robossl.config.doctor:DoctorConfig",
        stage="robossl.stages.doctor:doctor",
        help="say what is wrong with a video, a folder of videos or a data set",
        next="open {output}/report.html in a browser",
        paths="path",
        repeats=True,
    ),
    "report": Command(
        config="robossl.config.report:ReportConfig",
        stage="robossl.stages.report:report",
        help="write one HTML page about finished runs",
        next="open {output}/report.html in a browser",
        paths="runs",
        repeats=True,
    ),
    "demo": Command(
        config="robossl.config.demo:DemoConfig",
        stage="robossl.stages.demo:demo",
        help="all of it, small, in minutes",
        next="open {output}/report.html in a browser",
    ),
    "benchmark": Command(
        config="robossl.config.benchmark:BenchmarkConfig",
        stage="robossl.stages.benchmark:benchmark",
        help="compare encoders by policies, with training seeds and intervals; grows cell by cell",
        next="see the table beside the folder of cells",
        repeats=True,
    ),
}
