"""Rank the pretext tasks: train each for minutes on the same play, and probe what its features know.

    python tools/rank_objectives.py --objectives paired_looks r3m vicreg
    python tools/rank_objectives.py            # all of them; what is finished is not run again

A method is its YAML under `configs/pretrain/methods/`, trained on play of push and of pick and place together. Probes
read the positions of gripper, object and goal, fitted on labelled randomized play and tested on other episodes of it
and on the held-out engine; the expert's episodes tell whether features line up what is done alike. A finished cell is
a file, so the table grows over many runs. Why a method lifts little stands in `why.yaml` beside the cells.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robossl.config.collect import CollectConfig
from robossl.config.later import without_later
from robossl.config.load import dump_values, load_config
from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.config.probe import ProbeConfig
from robossl.config.recipe import DEMONSTRATION_SEED, PROBE_SEED
from robossl.config.yaml_text import parse_yaml
from robossl.data.frame_cache import CachedSource
from robossl.data.sources import open_source
from robossl.data.splits import split_episodes
from robossl.encoders import Encoder, build_encoder, load_encoder
from robossl.evaluation.episode_alignment import mean_over_pairs
from robossl.evaluation.probe import ProbeData, ProbeTarget, RidgeProbe, score_probe
from robossl.evaluation.seed_mean import mean_over_seeds
from robossl.objectives import OBJECTIVE_NAMES
from robossl.runs import fingerprint
from robossl.runs.files import write_json, write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.benchmark_world import world
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.pretrain import pretrain
from robossl.stages.probe_frames import Sampled, encode

ROOT = Path(__file__).parents[1]
TASKS = {"push": "robossl/PandaPush-v0", "pick_and_place": "robossl/PandaPickAndPlace-v0"}
DOMAINS = ("randomized", "heldout")
TARGETS = tuple(
    ProbeTarget(name=name, columns=(3 * i, 3 * i + 1, 3 * i + 2))
    for i, name in enumerate(("gripper", "object", "goal"))
)
"""Positions in the simulator's state of both tasks [m]; what follows them is how far the gripper is open."""
NUM_COLUMNS = 3 * len(TARGETS)
EXPERT = "expert"
RANDOM = "random"
"""The encoder that was never trained, which all others are compared with."""
MAX_FRAMES = 2000
"""That a probe is fitted on, and as many that it is tested on, of each task: neighbours in time say little anew."""
NUM_EXPERT = 20
"""Episodes of the expert of each task, which are lined up with each other."""
WORTH = 0.15
"""Lift from which a method needs no explanation."""
CORES = 2
DASH = "–"
COLUMNS = (
    "objective",
    "lift",
    "interval",
    *(f"{domain} {target.name}" for domain in ("source", "heldout") for target in TARGETS),
    "tau",
    "rank",
    "seconds",
    "wall",
    "seeds",
    "why not",
)
NOTE = (
    "R2 of a ridge probe on frozen features, mean over both tasks; source: other episodes of the randomized play that "
    "it was fitted on; heldout: the held-out engine and looks. lift: mean of the three source columns beside that of "
    "random weights of the same seed, with Student's 95 % interval over seeds from three on. tau: Kendall's, of "
    "nearest neighbours between randomized episodes of the expert, 0 by chance. rank: effective rank (RankMe, centred) "
    "of 128 held-out frames. seconds: of training on two cores, that is processor time of all threads divided by two, "
    "which does not depend on what else runs; wall: as it went. Means over training seeds."
)


def main() -> None:
    """Measure the cells that are missing and write the table."""
    arguments = _arguments()
    data = _collected(arguments)
    key = _key_of_data(arguments)
    for seed in range(arguments.num_seeds):
        for name in (RANDOM, *arguments.objectives):
            _cell(name, seed, arguments, data, key)
            _write_table(arguments, key)
    print(arguments.cells.with_suffix(".md"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objectives", nargs="+", default=list(OBJECTIVE_NAMES), choices=list(OBJECTIVE_NAMES))
    parser.add_argument("--num-seeds", type=int, default=1)
    parser.add_argument("--num-steps", type=int, help="of training; by default those of each YAML")
    parser.add_argument("--num-play", type=int, default=100, help="episodes of each task to train on")
    parser.add_argument("--num-labelled", type=int, default=200, help="episodes of each task and domain for probes")
    parser.add_argument("--num-workers", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("runs/rank"))
    parser.add_argument("--cells", type=Path, default=Path("docs/results/objectives"))
    return parser.parse_args()


def _collected(arguments: argparse.Namespace) -> dict[tuple[str, str], Path]:
    """Return (task, `play` or domain) to data sets, collected now as far as they are not there."""
    data = {}
    for task, env_id in TASKS.items():
        shared = CollectConfig(
            env_id=env_id, policy="play", noise=0.2, max_episode_steps=30, num_workers=arguments.num_workers
        )
        # many short episodes: each has one place of the goal and often one of the object
        labelled = replace(shared, num_episodes=arguments.num_labelled, max_episode_steps=15, seed=PROBE_SEED)
        wanted = {
            "play": replace(shared, num_episodes=arguments.num_play, second_look=True, look_every=10),
            **{domain: replace(labelled, domain=domain) for domain in DOMAINS},
            EXPERT: replace(
                shared,
                policy="expert",
                noise=0.0,
                num_episodes=NUM_EXPERT,
                only_successful=True,
                max_episode_steps=0,
                seed=DEMONSTRATION_SEED,
            ),
        }
        for kind, config in wanted.items():
            data[task, kind] = arguments.work / "data" / f"{task}-{kind}"
            run_stage("collect", collect, replace(config, output=data[task, kind]))
    return data


def _key_of_data(arguments: argparse.Namespace) -> dict[str, Any]:
    sizes = {name: getattr(arguments, name) for name in ("num_steps", "num_play", "num_labelled")}
    sizes |= {"num_expert": NUM_EXPERT, "max_frames": MAX_FRAMES}
    return {"sizes": sizes, "world": world("push", DOMAINS)}


def _config(
    name: str, seed: int, arguments: argparse.Namespace, data: Mapping[tuple[str, str], Path]
) -> PretrainConfig:
    config = load_config(PretrainConfig, ROOT / "configs/pretrain/methods" / f"{name}.yaml")
    return replace(
        config,
        output=arguments.work / f"{name}-{seed}",
        sources=tuple(SourceConfig(path=data[task, "play"]) for task in TASKS),
        num_steps=arguments.num_steps or config.num_steps,
        seed=seed,
    )


def _key(config: PretrainConfig | None, seed: int, data_key: Mapping[str, Any]) -> str:
    """Return the fingerprint of all that the numbers depend on, but no path."""
    paths = ("output", "sources", "tracking", "cache_dir")
    known = {} if config is None else without_later(dump_values(config))
    settings = {name: value for name, value in known.items() if name not in paths}
    return fingerprint([settings, seed, dict(data_key)])


def _cell(
    name: str, seed: int, arguments: argparse.Namespace, data: Mapping[tuple[str, str], Path], data_key: dict[str, Any]
) -> None:
    """Train and probe, unless the cell is there."""
    config = None if name == RANDOM else _config(name, seed, arguments, data)
    key, path = _key(config, seed, data_key), arguments.cells / f"{name}-{seed}.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8"))["key"] == key:
        return
    trained = {} if config is None else run_stage("pretrain", pretrain, config)
    untrained = _config("paired_looks", seed, arguments, data)
    encoder = (_random(untrained) if config is None else load_encoder(trained["encoder"])).eval()
    found = {"key": key, "objective": name, "seed": seed, **_measured(encoder, trained, data), "of": data_key}
    arguments.cells.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    print(f"{name} seed {seed}: {json.dumps(found['r2'])}", flush=True)


def _measured(encoder: Encoder, trained: Mapping[str, Any], data: Mapping[tuple[str, str], Path]) -> dict[str, Any]:
    """Return what is known of an encoder: its health and cost where it was trained, and what its features tell."""
    found: dict[str, Any] = {k: round(v, 4) for k, v in trained.items() if k.startswith("health/")}
    if trained:
        found["seconds"] = round(trained["cpu_seconds"] / CORES, 1)
        found["wall"] = round(trained["seconds"]["pretrain"], 1)
    found["tau"] = round(float(np.mean([_aligned(encoder, data[task, EXPERT]) for task in TASKS])), 4)
    found["r2"] = {task: _probed(encoder, {domain: data[task, domain] for domain in DOMAINS}) for task in TASKS}
    return found


def _random(config: PretrainConfig) -> Encoder:
    """Return what all methods start from."""
    torch.manual_seed(config.seed)
    spec = config.encoder
    return build_encoder(spec.name, image_size=config.image_size, feature_dim=spec.feature_dim, **spec.params)


def _probed(encoder: Encoder, paths: Mapping[str, Path]) -> dict[str, dict[str, float]]:
    """Return domain to R2 of each quantity."""
    fit, *tests = (
        ProbeData(features=encode(encoder, some.frames), truth=some.truth[:, :NUM_COLUMNS], episode=some.episode)
        for some in _labelled(*(paths[domain] for domain in DOMAINS), encoder.image_size)
    )
    ridge = RidgeProbe().fit(fit)
    return {
        domain: {
            score.target: round(score.r2, 4) for score in score_probe(ridge.predict(of.features), of.truth, TARGETS)
        }
        for domain, of in zip(DOMAINS, tests, strict=True)
    }


@cache
def _labelled(source: Path, heldout: Path, image_size: tuple[int, int]) -> tuple[Sampled, Sampled, Sampled]:
    """Return the frames to fit on, other ones of the same domain, and those of the held-out engine."""
    config = ProbeConfig(max_frames=MAX_FRAMES)
    near, far = (CachedSource(open_source(path), image_size) for path in (source, heldout))
    split = split_episodes(near, test_fraction=0.25)
    return (
        Sampled(near, split.train, config),
        Sampled(near, split.test, config),
        Sampled(far, np.arange(len(far.lengths)), config),
    )


def _aligned(encoder: Encoder, path: Path) -> float:
    """Return Kendall's tau between the expert's episodes."""
    sampled = _expert(path, encoder.image_size)
    return mean_over_pairs(encode(encoder, sampled.frames), sampled.episode)[0]


@cache
def _expert(path: Path, image_size: tuple[int, int]) -> Sampled:
    """Return the expert's frames."""
    source = CachedSource(open_source(path), image_size)
    return Sampled(source, np.arange(len(source.lengths)), ProbeConfig())


def _write_table(arguments: argparse.Namespace, data_key: Mapping[str, Any]) -> None:
    """Write the table of all cells of these sizes, the best first."""
    title = "Pretext tasks by what a probe reads out of their features"
    table = {"title": title, "columns": COLUMNS, "rows": _rows(arguments.cells, data_key), "note": NOTE}
    header = ["# Pretext tasks, ranked", "", "Made by `python tools/rank_objectives.py`.", ""]
    write_text(arguments.cells.with_suffix(".md"), "\n".join([*header, as_markdown(table)]))


def _rows(folder: Path, data_key: Mapping[str, Any]) -> list[list[Any]]:
    """Return what the table says of all cells of these sizes, the best first."""
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    cells = [cell for cell in cells if cell["of"] == data_key]
    floor = {cell["seed"]: _level(cell) for cell in cells if cell["objective"] == RANDOM}
    names = dict.fromkeys(cell["objective"] for cell in cells)
    rows = [_row(name, [cell for cell in cells if cell["objective"] == name], floor) for name in names]
    rows.sort(key=lambda row: -row[1])
    why_path = folder / "why.yaml"
    why = parse_yaml(why_path) if why_path.is_file() else {}
    return [[*row, why.get(row[0], "") if row[1] < WORTH else ""] for row in rows]


def _level(cell: Mapping[str, Any]) -> float:
    """Return the mean R2 of the three positions, within the domain of the fit."""
    return float(np.mean([cell["r2"][task][DOMAINS[0]][target.name] for task in TASKS for target in TARGETS]))


def _row(name: str, cells: Sequence[Mapping[str, Any]], floor: Mapping[int, float]) -> list[Any]:
    """Return the numbers of one method: lift, each quantity in each domain, tau, rank, seconds, how many seeds."""
    lift = mean_over_seeds([_level(cell) - floor.get(cell["seed"], float("nan")) for cell in cells])
    interval = f"{lift.low:.3f} to {lift.high:.3f}" if len(cells) > 2 else DASH
    numbers = [
        round(float(np.mean([cell["r2"][task][domain][target.name] for cell in cells for task in TASKS])), 3)
        for domain in DOMAINS
        for target in TARGETS
    ]
    rest = [_mean(cells, key, digits) for key, digits in (("tau", 3), ("health/effective_rank", 1))]
    times = [_mean(cells, key, 0) for key in ("seconds", "wall")]
    return [name, round(lift.value, 3), interval, *numbers, *rest, *times, len(cells)]


def _mean(cells: Sequence[Mapping[str, Any]], key: str, digits: int) -> float | str:
    return round(float(np.mean([cell[key] for cell in cells])), digits) if key in cells[0] else DASH


if __name__ == "__main__":
    main()
