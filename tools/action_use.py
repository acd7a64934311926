"""Whether the action-conditioned predictor listens to the actions: its error with its own and with another clip's.

    python tools/action_use.py     # what is finished is not run again; a training that was stopped goes on

Pretrains on play of Push by `configs/pretrain/push_dynamics.yaml`, rolls the predictor out from every frame of the
episodes that training did not read, and reads the simulator's state out of what it predicts. The probe is fitted on
true embeddings of the episodes of training.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64

from robossl.config.collect import CollectConfig
from robossl.config.load import dump_values, load_config
from robossl.config.pretrain import PretrainConfig
from robossl.encoders import load_encoder
from robossl.evaluation.action_use import ActionUse, action_use
from robossl.evaluation.probe import CENTIMETRES_PER_METRE, ProbeData, RidgeProbe
from robossl.objectives import LatentRollout, build_objectives
from robossl.runs import fingerprint
from robossl.runs.files import write_json, write_text
from robossl.stages.benchmark import without_later
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.pretrain import pretrain
from robossl.stages.pretrain_sources import ACTION_KEY, TrainingSource, action_stats, open_sources
from robossl.stages.probe_frames import encode

ROOT = Path(__file__).parents[1]
KEY = "observation.environment_state"
TARGETS = {"state": slice(0, 9), "gripper": slice(0, 3), "object": slice(3, 6), "goal": slice(6, 9)}
"""Columns of the simulator's state [m]; all of them together, and what they are made of."""
COLUMNS = ("told", "shuffled", "ratio", "seen", "still")


def main() -> None:
    """Measure the seeds that are missing and write the table."""
    arguments = _arguments()
    play = replace(
        load_config(CollectConfig, arguments.collect),
        output=arguments.work / "data" / "play",
        num_workers=arguments.num_workers,
    )
    run_stage("collect", collect, play)
    for seed in range(arguments.num_seeds):
        _cell(seed, play, arguments)
        _write_table(arguments)
    print(arguments.cells.with_suffix(".md"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collect", type=Path, default=ROOT / "configs/collect/push.yaml")
    parser.add_argument("--pretrain", type=Path, default=ROOT / "configs/pretrain/push_dynamics.yaml")
    parser.add_argument("--num-seeds", type=int, default=1)
    parser.add_argument("--num-workers", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("runs/default-recipe"), help="shared by default_recipe.py")
    parser.add_argument("--cells", type=Path, default=Path("docs/results/action_use"))
    return parser.parse_args()


def _cell(seed: int, play: CollectConfig, arguments: argparse.Namespace) -> None:
    """Train and measure, unless the cell is there."""
    config = load_config(PretrainConfig, arguments.pretrain)
    config = replace(config, sources=(replace(config.sources[0], path=play.output),), seed=seed)
    paths = ("output", "path", "sources", "tracking", "cache_dir", "num_workers")
    parts = (config, config.sources[0], play)
    key = fingerprint([{k: v for k, v in without_later(dump_values(one)).items() if k not in paths} for one in parts])
    path = arguments.cells / f"{seed}.json"
    config = replace(config, output=arguments.work / f"dynamics-{seed}-{key[-8:]}")
    if path.is_file() and json.loads(path.read_text(encoding="utf-8"))["key"] == key:
        return
    run_stage("pretrain", pretrain, config)
    used = measured(config)
    found = {name: asdict(use) for name, use in used.items()}
    arguments.cells.mkdir(parents=True, exist_ok=True)
    write_json(path, {"key": key, "seed": seed, "used": found})
    print(f"seed {seed}: ratio {used['state'].ratio}", flush=True)


@torch.inference_mode()
def measured(config: PretrainConfig) -> dict[str, ActionUse]:
    """Return how much the predictor of a finished run listens to actions, in cm of the simulator's state."""
    (item,) = open_sources(config)
    rollout = _predictor(config, item)
    horizon = rollout.window.action_steps
    encoder = load_encoder(config.output / "encoder").eval()

    def embedded(episode: int) -> Float[np.ndarray, "L P"]:
        frames = item.source.frames(episode, np.arange(item.source.lengths[episode]), item.views[0])
        return rollout.embed(torch.from_numpy(encode(encoder, frames))).numpy()

    ridge = RidgeProbe().fit(_labelled(item, embedded, item.train))
    clips = [_clips(item, int(number), embedded(int(number)), horizon) for number in item.test]
    start, end, actions, truth, episode = (np.concatenate(parts) for parts in zip(*clips, strict=True))

    def predict(told: Float[np.ndarray, "n kA"]) -> Float[np.ndarray, "n P"]:
        return rollout.roll_out(torch.from_numpy(start), torch.from_numpy(told), item.name)[:, -1].numpy()

    return action_use(
        predict, ridge, start=start, end=end, actions=actions, truth=truth, episode=episode, targets=TARGETS
    )


def _predictor(config: PretrainConfig, item: TrainingSource) -> LatentRollout:
    """Return the rollout of a finished run."""
    encoder = load_encoder(config.output / "encoder")
    specs = [(spec.name, spec.weight, spec.params) for spec in config.objectives]
    objective = build_objectives(specs, encoder, action_stats=action_stats([item]))
    state = torch.load(config.output / "checkpoints" / "last.pt", weights_only=True)["module"]
    objective.load_state_dict(state)
    rollout = objective.eval().members["latent_rollout"]
    assert isinstance(rollout, LatentRollout)
    return rollout


def _labelled(item: TrainingSource, embedded: Any, episodes: Int64[np.ndarray, " N"]) -> ProbeData:
    """Return every third frame of episodes with the truth [cm]."""
    features, truth, episode = [], [], []
    for number in episodes.tolist():
        rows = np.arange(number % 3, item.source.lengths[number], 3)
        features.append(embedded(number)[rows])
        truth.append(CENTIMETRES_PER_METRE * item.source.values(number, rows, KEY)[:, :9])
        episode.append(np.full(len(rows), number))
    return ProbeData(features=np.concatenate(features), truth=np.concatenate(truth), episode=np.concatenate(episode))


def _clips(item: TrainingSource, number: int, embedded: Float[np.ndarray, "L P"], horizon: int) -> tuple[Any, ...]:
    """Return start, end, actions between, truth [cm] at the end, and episode, of every stretch of an episode."""
    starts = np.arange(len(embedded) - horizon)
    rows = starts[:, None] + np.arange(horizon)
    actions = item.source.values(number, rows.flatten(), ACTION_KEY).reshape(len(starts), -1)
    truth = CENTIMETRES_PER_METRE * item.source.values(number, starts + horizon, KEY)[:, :9]
    return embedded[starts], embedded[starts + horizon], actions, truth, np.full(len(starts), number)


def _write_table(arguments: argparse.Namespace) -> None:
    """Write the table of the seeds that are finished."""
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(arguments.cells.glob("*.json"))]
    rows = [
        [cell["seed"], name, *(_words(use[column]) for column in COLUMNS), use["n"]]
        for cell in cells
        for name, use in cell["used"].items()
    ]
    table = {
        "title": "Mean error ten steps ahead [cm], with the clip's own actions and with those of another episode",
        "columns": [
            "seed",
            "of what",
            "own actions",
            "shuffled",
            "ratio",
            "of the true frame",
            "standing still",
            "clips",
        ],
        "rows": rows,
        "note": "Episodes of play of Push that training did not read. A ridge probe, fitted on true embeddings of the "
        "training episodes, reads the state out of the predicted embedding; true frame: out of the embedding of the "
        "frame that came, which no prediction is read better than; standing still: out of that of the first frame. In "
        "brackets 95 % (bootstrap over episodes).",
    }
    header = ["# Does the predictor listen to actions?", "", "Made by `python tools/action_use.py`.", ""]
    write_text(arguments.cells.with_suffix(".md"), "\n".join([*header, as_markdown(table)]))


def _words(estimate: list[float] | Mapping[str, float]) -> str:
    value, low, high = estimate
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
