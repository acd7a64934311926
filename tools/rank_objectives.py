"""Rank the pretext tasks: train each for minutes on the same play, and probe what its features know.

    python tools/rank_objectives.py --objectives paired_looks r3m vicreg
    python tools/rank_objectives.py            # all of them; what is finished is not run again

A method is its YAML under `configs/pretrain/methods/`, trained on play of push and of pick and place together. Probes
read the positions of gripper, object and goal, fitted on labelled randomized play and tested on other episodes of it
and on the held-out engine. Each finished cell is a file, so the table grows over many runs.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robossl.config.collect import CollectConfig
from robossl.config.load import dump_values, load_config
from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.config.probe import ProbeConfig
from robossl.config.recipe import PROBE_SEED
from robossl.data.frame_cache import CachedSource
from robossl.data.sources import open_source
from robossl.data.splits import split_episodes
from robossl.encoders import Encoder, build_encoder, load_encoder
from robossl.evaluation.probe import ProbeData, ProbeTarget, RidgeProbe, score_probe
from robossl.objectives import OBJECTIVE_NAMES
from robossl.runs import fingerprint
from robossl.runs.files import write_json, write_text
from robossl.stages.benchmark import without_later
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
RANDOM = "random"
"""The encoder that was never trained, which all others are compared with."""
NOTE = (
    "R2 of a ridge probe on frozen features, mean over both tasks; source: other episodes of the randomized play that "
    "it was fitted on; heldout: the held-out engine and looks. lift: mean of the three source columns beside that of "
    "random weights. rank: effective rank (RankMe, centred) of 128 held-out frames. seconds: of training, as it went. "
    "Means over training seeds."
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
    parser.add_argument("--num-steps", type=int, default=200)
    parser.add_argument("--num-play", type=int, default=100, help="episodes of each task to train on")
    parser.add_argument("--num-labelled", type=int, default=80, help="episodes of each task and domain for probes")
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
        wanted = {
            "play": replace(shared, num_episodes=arguments.num_play, second_look=True, look_every=10),
            **{d: replace(shared, domain=d, num_episodes=arguments.num_labelled, seed=PROBE_SEED) for d in DOMAINS},
        }
        for kind, config in wanted.items():
            data[task, kind] = arguments.work / "data" / f"{task}-{kind}"
            run_stage("collect", collect, replace(config, output=data[task, kind]))
    return data


def _key_of_data(arguments: argparse.Namespace) -> dict[str, Any]:
    sizes = {name: getattr(arguments, name) for name in ("num_steps", "num_play", "num_labelled")}
    return {"sizes": sizes, "world": world("push", DOMAINS)}


def _config(
    name: str, seed: int, arguments: argparse.Namespace, data: Mapping[tuple[str, str], Path]
) -> PretrainConfig:
    config = load_config(PretrainConfig, ROOT / "configs/pretrain/methods" / f"{name}.yaml")
    return replace(
        config,
        output=arguments.work / f"{name}-{seed}",
        sources=tuple(SourceConfig(path=data[task, "play"]) for task in TASKS),
        num_steps=arguments.num_steps,
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
    r2 = {task: _probed(encoder, {domain: data[task, domain] for domain in DOMAINS}) for task in TASKS}
    kept = {k: round(v, 4) for k, v in trained.items() if k.startswith("health/")}
    if trained:
        kept["seconds"] = round(trained["seconds"]["pretrain"], 1)
    arguments.cells.mkdir(parents=True, exist_ok=True)
    write_json(path, {"key": key, "objective": name, "seed": seed, **kept, "r2": r2, "of": data_key})
    print(f"{name} seed {seed}: {json.dumps(r2)}", flush=True)


def _random(config: PretrainConfig) -> Encoder:
    """Return what all methods start from."""
    torch.manual_seed(config.seed)
    spec = config.encoder
    return build_encoder(spec.name, image_size=config.image_size, feature_dim=spec.feature_dim, **spec.params)


def _probed(encoder: Encoder, paths: Mapping[str, Path]) -> dict[str, dict[str, float]]:
    """Return domain to R2 of each quantity."""
    config = ProbeConfig()
    source, heldout = (CachedSource(open_source(paths[domain]), encoder.image_size) for domain in DOMAINS)
    split = split_episodes(source, test_fraction=0.25)
    sampled = (
        Sampled(source, split.train, config),
        Sampled(source, split.test, config),
        Sampled(heldout, np.arange(len(heldout.lengths)), config),
    )
    fit, *tests = (
        ProbeData(features=encode(encoder, some.frames), truth=some.truth[:, :NUM_COLUMNS], episode=some.episode)
        for some in sampled
    )
    ridge = RidgeProbe().fit(fit)
    return {
        domain: {
            score.target: round(score.r2, 4) for score in score_probe(ridge.predict(of.features), of.truth, TARGETS)
        }
        for domain, of in zip(DOMAINS, tests, strict=True)
    }


def _write_table(arguments: argparse.Namespace, data_key: Mapping[str, Any]) -> None:
    """Write the table of all cells of these sizes, the best first."""
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(arguments.cells.glob("*.json"))]
    cells = [cell for cell in cells if cell["of"] == data_key]
    names = dict.fromkeys(cell["objective"] for cell in cells)
    rows = [_row(name, [cell for cell in cells if cell["objective"] == name]) for name in names]
    floor = next((np.mean(row[1:4]) for row in rows if row[0] == RANDOM), float("nan"))
    rows = [[row[0], round(float(np.mean(row[1:4]) - floor), 3), *row[1:]] for row in rows]
    rows.sort(key=lambda row: -row[1])
    columns = ["objective", "lift", *(f"{d} {target.name}" for d in ("source", "heldout") for target in TARGETS)]
    title = "Pretext tasks by what a probe reads out of their features"
    table = {"title": title, "columns": [*columns, "rank", "seconds", "seeds"], "rows": rows, "note": NOTE}
    header = ["# Pretext tasks, ranked", "", "Made by `python tools/rank_objectives.py`.", ""]
    write_text(arguments.cells.with_suffix(".md"), "\n".join([*header, as_markdown(table)]))


def _row(name: str, cells: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the numbers of one method: each quantity in each domain, rank, seconds, and how many seeds."""
    numbers = [
        round(float(np.mean([cell["r2"][task][domain][target.name] for cell in cells for task in TASKS])), 3)
        for domain in DOMAINS
        for target in TARGETS
    ]
    rank, seconds = (
        round(float(np.mean([cell[key] for cell in cells])), 1) if key in cells[0] else "–"
        for key in ("health/effective_rank", "seconds")
    )
    return [name, *numbers, rank, seconds, len(cells)]


if __name__ == "__main__":
    main()
