"""What encoders that were pretrained on one recorded data set know of its robot and of how its episodes line up.

    python tools/footage_table.py ../shared/footage/robot/g1_bottle                     # all; finished ones are kept
    python tools/footage_table.py ../shared/footage/robot/g1_bottle --methods r3m

Each method trains on the training episodes; `robossl probe` reads joints from its features in those that the hash split
holds out, and Kendall's tau lines these up. Beside them stand random weights, principal components of the pixels and
the pixels themselves. Every step is a run directory in `--work`, so what was stopped goes on; `table.md` there is the
table.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from robossl.config.load import load_config
from robossl.config.pretrain import AugmentationConfig, EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.config.probe import ProbeConfig
from robossl.data.frame_cache import CachedSource
from robossl.data.sources import LeRobotSource
from robossl.data.splits import split_episodes
from robossl.evaluation.episode_alignment import mean_over_pairs
from robossl.runs.files import write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.chain import run_stage
from robossl.stages.pretrain import pretrain
from robossl.stages.pretrain_sources import STATE_KEY
from robossl.stages.probe import probe
from robossl.stages.probe_frames import Sampled

ROOT = Path(__file__).parents[1]
RECIPE = "footage_robot"
METHODS: dict[str, dict[str, Any]] = {
    RECIPE: {},
    "time_contrast": {"num_anchors": 6},
    "implicit_value": {},
    "r3m": {},
    "cycle_consistency": {},
    "slow_features": {},
    "vicreg": {},
}
"""The recipe of that name, and single objectives with their arguments."""
PARTS = {"right arm": ("shoulder", "elbow", "wrist"), "right hand": ("hand",)}
PCA = 256
TEST_FRACTION = 0.2
IMAGE_SIZE = (48, 64)
COLUMNS = ("features", "right arm, R2", "right hand, R2", "Kendall's tau", "cycle error", "progress, R2", "frames")
NOTE = (
    "R2: 1 - squared error / squared spread, both summed over the joints of the part, of a ridge probe whose penalty "
    "is chosen by cross-validation over training episodes. Tau, cycle error: over ordered pairs of held-out episodes."
)


def main() -> None:
    """Train what is missing, probe it, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--work", type=Path, default=Path("runs/footage-table"))
    arguments = parser.parse_args()
    data, work = arguments.data, arguments.work
    encoders = {method: _trained(method, data, work) for method in arguments.methods}
    rows = [_row(method, _probed(method, str(encoder), data, work)) for method, encoder in encoders.items()]
    untrained = _probed("random", "random", data, work)
    rows += [_row("random weights", untrained), _row(f"pca-{PCA}", untrained, features=f"pca-{PCA}"), _pixels(data)]
    table = {"title": f"Encoders on {data.name}", "columns": COLUMNS, "rows": rows, "note": NOTE}
    write_text(work / "table.md", as_markdown(table))
    print(as_markdown(table))


def _trained(method: str, data: Path, work: Path) -> Path:
    """Return the encoder of a method, pretrained now if it is not there."""
    config = load_config(PretrainConfig, ROOT / f"configs/pretrain/{RECIPE}.yaml")
    if method != RECIPE:
        config = PretrainConfig(
            objectives=(ObjectiveConfig(name=method, params=METHODS[method]),),
            encoder=EncoderConfig(feature_dim=256),
            augmentation=AugmentationConfig(shift_px=3),
            image_size=IMAGE_SIZE,
            weight_decay=0.05,
            batch_size=32,
            num_steps=400,
            test_fraction=TEST_FRACTION,
        )
    config = replace(config, output=work / f"pretrain-{method}", sources=(SourceConfig(path=data),))
    run_stage("pretrain", pretrain, config)
    return config.output / "encoder"


def _probed(name: str, encoder: str, data: Path, work: Path) -> dict[str, dict[str, Any]]:
    """Return the result of the probe of each part; principal components only beside random weights."""
    source = LeRobotSource(data)
    return {
        part: run_stage("probe", probe, _probe(encoder, source, part, work / f"probe-{name}-{part.split()[-1]}"))
        for part in PARTS
    }


def _probe(encoder: str, source: LeRobotSource, part: str, output: Path) -> ProbeConfig:
    joints = [joint.lower() for joint in source.names(STATE_KEY)]
    chosen = [i for i, joint in enumerate(joints) if "right" in joint and any(word in joint for word in PARTS[part])]
    return ProbeConfig(
        output=output,
        encoder=encoder,
        architecture=str(output.parent / f"pretrain-{RECIPE}" / "encoder") if encoder == "random" else "conv",
        source=source.root,
        camera=source.cameras[0],
        key=STATE_KEY,
        dims=tuple(chosen),
        test_fraction=TEST_FRACTION,
        pca=PCA if encoder == "random" else 0,
        time=True,
        num_neighbour_queries=0,
    )


def _row(name: str, results: dict[str, dict[str, Any]], *, features: str = "encoder") -> list[Any]:
    read = [_value(result["tables"][0]["rows"], features, STATE_KEY) for result in results.values()]
    of_time = next(iter(results.values()))["tables"][1]["rows"]
    told = [_value(of_time, features, measure) for measure in ("kendall tau", "cycle error", "progress r2")]
    frames = next(row[3] for row in of_time if row[2] == "progress r2")
    return [name, *(f"{value:.3f}" for value in (*read, *told)), frames]


def _value(rows: Sequence[Sequence[Any]], features: str, what: str) -> float:
    return next(row[-1] for row in rows if row[0] == features and what in row)


def _pixels(data: Path) -> list[Any]:
    """Return how well the pixels themselves line episodes up."""
    source = CachedSource(LeRobotSource(data), IMAGE_SIZE)
    how = ProbeConfig(camera=source.cameras[0], key=STATE_KEY)
    test = Sampled(source, split_episodes(source, test_fraction=TEST_FRACTION).test, how)
    tau, cycle, _ = mean_over_pairs(test.pixels(), test.episode)
    return ["pixels", *["–"] * len(PARTS), f"{tau:.3f}", f"{cycle:.3f}", "–", len(test.frames)]


if __name__ == "__main__":
    main()
