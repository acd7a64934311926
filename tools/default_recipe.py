"""Read positions out of the default recipe's features with 500 labels, beside a net trained on all labels of the play.

    python tools/default_recipe.py     # what is finished is not run again; a training that was stopped goes on

The recipe is `configs/collect/push.yaml` and `configs/pretrain/push.yaml`. Its frozen features are read by a ridge that
is fitted on one labelled frame of each of 500 randomized episodes. The supervised net is the same encoder with one
linear layer to the positions: the same frames in the same batches, the same optimizer, steps and augmentation. Both are
then asked in every domain for the positions of object and goal, without another fit.
"""

import argparse
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from robossl.config.collect import CollectConfig
from robossl.config.env import HELDOUT
from robossl.config.later import without_later
from robossl.config.load import dump_values, load_config
from robossl.config.pretrain import PretrainConfig
from robossl.config.recipe import PROBE_SEED
from robossl.data.augmentations import Augmentations
from robossl.data.clip_dataset import ClipDataset, ClipLoader
from robossl.data.clip_sampling import instant_window
from robossl.data.frame_cache import CachedSource
from robossl.data.sampler import BatchSampler
from robossl.data.sources import open_source
from robossl.encoders import Encoder, build_encoder, load_encoder
from robossl.evaluation.episode_bootstrap import bootstrap_over_episodes
from robossl.evaluation.probe import CENTIMETRES_PER_METRE, ProbeData, RidgeProbe
from robossl.objectives import Objective
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.runs import fingerprint
from robossl.runs.files import write_json, write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.benchmark_world import world
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.pretrain import pretrain
from robossl.stages.pretrain_sources import open_sources
from robossl.stages.probe_frames import encode
from robossl.training import LoopSettings, processes, train
from robossl.types import ObjectiveOutput

ROOT = Path(__file__).parents[1]
DOMAINS = ("nominal", "randomized", "shifted", "heldout")
KEY = "observation.environment_state"
TARGETS = {"gripper": slice(0, 3), "object": slice(3, 6), "goal": slice(6, 9)}
"""Columns of the simulator's state [m]."""
MODELS = {
    "recipe": "default recipe, frozen, ridge on 500 labelled frames",
    "supervised": "same net, supervised on all labels of the play",
    "random": "random weights, frozen, ridge on 500 labelled frames",
}
NUM_LABELLED = 500
"""Randomized episodes of which one frame is labelled."""
NUM_TESTED = 150
"""Episodes of each domain that are asked for."""
FRAMES_TESTED = 4
"""Of each of them."""
TEST_SEED = PROBE_SEED + 10_000


def main() -> None:
    """Measure the cells that are missing and write the table."""
    arguments = _arguments()
    data = _collected(arguments)
    for seed in range(arguments.num_seeds):
        for model in MODELS:
            _cell(model, seed, arguments, data)
            _write_table(arguments)
    print(arguments.cells.with_suffix(".md"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collect", type=Path, default=ROOT / "configs/collect/push.yaml")
    parser.add_argument("--pretrain", type=Path, default=ROOT / "configs/pretrain/push.yaml")
    parser.add_argument("--domains", nargs="+", default=list(DOMAINS), choices=list(DOMAINS))
    parser.add_argument("--num-seeds", type=int, default=1)
    parser.add_argument("--num-workers", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("runs/default-recipe"))
    parser.add_argument("--cells", type=Path, default=Path("docs/results/default_recipe"))
    return parser.parse_args()


def _collected(arguments: argparse.Namespace) -> dict[str, Path]:
    """Return `play`, `labelled` or a domain to data sets, collected now as far as they are not there."""
    play = replace(load_config(CollectConfig, arguments.collect), num_workers=arguments.num_workers)
    labelled = replace(
        play, second_look=False, look_every=0, max_episode_steps=15, num_episodes=NUM_LABELLED, seed=PROBE_SEED
    )
    wanted = {"play": play, "labelled": labelled}
    for domain in arguments.domains:
        renderer = "auto" if domain.startswith(HELDOUT) else play.renderer
        wanted[domain] = replace(labelled, domain=domain, renderer=renderer, num_episodes=NUM_TESTED, seed=TEST_SEED)
    data = {}
    for name, config in wanted.items():
        data[name] = arguments.work / "data" / name
        run_stage("collect", collect, replace(config, output=data[name]))
    return data


def _cell(model: str, seed: int, arguments: argparse.Namespace, data: Mapping[str, Path]) -> None:
    """Train and ask, unless the cell is there."""
    config = load_config(PretrainConfig, arguments.pretrain)
    config = replace(config, sources=(replace(config.sources[0], path=data["play"]),), seed=seed)
    trained = _key_of_training(config, arguments)
    key = fingerprint([trained, NUM_LABELLED, NUM_TESTED, FRAMES_TESTED, world("push", tuple(arguments.domains))])
    path = arguments.cells / f"{model}-{seed}.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8"))["key"] == key:
        return
    config = replace(config, output=arguments.work / f"{model}-{seed}-{trained[-8:]}")
    reader, seconds = _trained(model, config, data)
    errors = {domain: _errors(reader, data[domain], config.image_size) for domain in arguments.domains}
    arguments.cells.mkdir(parents=True, exist_ok=True)
    write_json(path, {"key": key, "model": model, "seed": seed, "cpu_seconds": seconds, "errors_cm": errors})
    print(f"{model} seed {seed}: {seconds} CPU-s, {json.dumps(errors)}", flush=True)


def _key_of_training(config: PretrainConfig, arguments: argparse.Namespace) -> str:
    """Return the fingerprint of all that the weights depend on, but no path."""
    paths = ("output", "path", "sources", "tracking", "cache_dir", "num_workers")
    parts = (config, config.sources[0], load_config(CollectConfig, arguments.collect))
    return fingerprint([{k: v for k, v in without_later(dump_values(one)).items() if k not in paths} for one in parts])


class Reader:
    """Tells positions from frames."""

    def __init__(self, encoder: Encoder, head: Any) -> None:
        self.encoder, self.head = encoder, head

    def __call__(self, frames: np.ndarray) -> Float[np.ndarray, "n 9"]:
        """Return gripper, object and goal [m]."""
        return self.head(encode(self.encoder, frames))


def _trained(model: str, config: PretrainConfig, data: Mapping[str, Path]) -> tuple[Reader, float | None]:
    """Return what tells positions, and the processor time of its training; none where nothing was trained."""
    if model == "supervised":
        return _supervised(config)
    result = run_stage("pretrain", pretrain, config) if model == "recipe" else None
    encoder = _fresh(config) if result is None else load_encoder(result["encoder"])
    frames, truth, episode = _frames(data["labelled"], config.image_size, per_episode=1)
    labelled = ProbeData(features=encode(encoder.eval(), frames), truth=truth, episode=episode)
    return Reader(encoder, RidgeProbe().fit(labelled).predict), None if result is None else _cpu_seconds(result)


def _cpu_seconds(summary: Mapping[str, Any]) -> float:
    """Return the processor time of all steps, by those that were taken since the last stop."""
    taken = max(1, summary["num_steps"] - summary["first_step"])
    return round(summary["cpu_seconds"] * summary["num_steps"] / taken, 1)


def _fresh(config: PretrainConfig) -> Encoder:
    """Return the encoder before training, the same as pretraining starts from."""
    torch.manual_seed(config.seed)
    spec = config.encoder
    return build_encoder(spec.name, image_size=config.image_size, feature_dim=spec.feature_dim, **spec.params)


class Positions(Objective):
    """One linear layer from the features to gripper, object and goal, each column scaled to deviation 1."""

    def __init__(self, encoder: Encoder, truth: Mapping[int, Float[np.ndarray, "L 9"]], *, num_instants: int) -> None:
        super().__init__(encoder)
        self.window = instant_window(num_instants=num_instants, num_views=2)
        rows = np.concatenate(list(truth.values()))
        self.mean, self.std = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)
        self.truth = {number: torch.from_numpy((of - self.mean) / self.std) for number, of in truth.items()}
        self.head = nn.Linear(encoder.feature_dim, rows.shape[1])

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean smooth L1 error over both looks."""
        pairs = zip(encoded.batch.episode_id.tolist(), encoded.of("anchor", encoded.batch.indices), strict=True)
        truth = torch.stack([self.truth[number][indices] for number, indices in pairs])  # [B,n,9]
        looks = [self.head(encoded.features("anchor", view=view)) for view in (0, 1)]
        return ObjectiveOutput(loss=sum(F.smooth_l1_loss(look, truth) for look in looks) / 2, metrics={})

    def read(self, features: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n 9"]:
        """Return positions [m]."""
        with torch.inference_mode():
            scaled: Tensor = self.head(torch.from_numpy(features))
        return scaled.numpy() * self.std + self.mean


def _supervised(config: PretrainConfig) -> tuple[Reader, float]:
    """Train on all labels: batches, augmentation, optimizer and steps are those of the recipe.

    A finished training is read from its checkpoint, and its time from `seconds.json` beside it.
    """
    (item,) = open_sources(config)
    truth = {
        int(number): item.source.values(int(number), np.arange(item.source.lengths[number]), KEY)[:, :9]
        for number in item.train
    }
    net = Positions(_fresh(config), truth, num_instants=int(config.objectives[0].params["num_instants"]))
    net.to(memory_format=torch.channels_last)
    clips = ClipDataset(item.source, net.window, seed=config.seed, views=item.views, episodes=item.train.tolist())
    sampler = BatchSampler([len(clips)], batch_size=config.batch_size, seed=config.seed)
    augment = Augmentations(seed=config.seed, **asdict(config.augmentation))
    settings = LoopSettings(
        num_steps=config.num_steps,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        warmup_steps=config.warmup_steps,
        schedule=config.schedule,
        clip_norm=config.clip_norm,
    )
    with processes("cpu") as here, closing(ClipLoader([clips], sampler, names=[item.name])) as loader:
        summary = train(
            net,
            read=loader,
            prepare=lambda batch, number: augment(batch, sampler.plan(number).positions),
            settings=settings,
            here=here,
            checkpoints=config.output / "checkpoints",
            fingerprint=fingerprint([dump_values(config)]),
            log=lambda step, metrics: None,
        )
    item.close()
    path = config.output / "seconds.json"
    if not path.is_file():
        write_json(path, {"cpu_seconds": _cpu_seconds(asdict(summary))})
    return Reader(net.encoder.eval(), net.eval().read), json.loads(path.read_text(encoding="utf-8"))["cpu_seconds"]


def _frames(path: Path, image_size: tuple[int, int], *, per_episode: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frames, truth [m] and episodes: some instants of every episode."""
    source = CachedSource(open_source(path), image_size)
    frames, truth, episode = [], [], []
    for number, length in enumerate(source.lengths.tolist()):
        indices = instants(number, length, per_episode=per_episode)
        frames.append(source.frames(number, indices, source.cameras[0]))
        truth.append(source.values(number, indices, KEY)[:, :9])
        episode.append(np.full(per_episode, number))
    return np.concatenate(frames), np.concatenate(truth), np.concatenate(episode)


def instants(number: int, length: int, *, per_episode: int) -> np.ndarray:
    """Return some frames of an episode, evenly spaced; they begin elsewhere in every episode."""
    return (7 * number + np.arange(per_episode) * length // per_episode) % length


def _errors(reader: Reader, path: Path, image_size: tuple[int, int]) -> dict[str, dict[str, float]]:
    """Return each quantity's median distance [cm] with its interval over episodes."""
    frames, truth, episode = _frames(path, image_size, per_episode=FRAMES_TESTED)
    difference = CENTIMETRES_PER_METRE * (reader(frames) - truth)
    found = {}
    for name, columns in TARGETS.items():
        median = bootstrap_over_episodes(np.linalg.norm(difference[:, columns], axis=1), episode)
        found[name] = {key: round(value, 3) for key, value in median._asdict().items()}
    return found


def _write_table(arguments: argparse.Namespace) -> None:
    """Write the table of the cells that are finished."""
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.cells.glob("*.json")]
    cells.sort(key=lambda cell: (cell["seed"], list(MODELS).index(cell["model"])))
    rows = [
        [MODELS[cell["model"]], cell["seed"], domain, *map(_words, found.values()), cell["cpu_seconds"] or "–"]
        for cell in cells
        for domain, found in cell["errors_cm"].items()
    ]
    table = {
        "title": "Median error of positions [cm], in domains that no training and no fit saw but `randomized`",
        "columns": ["what reads", "seed", "domain", *TARGETS, "CPU seconds"],
        "rows": rows,
        "note": f"{NUM_TESTED} other episodes of each domain, {FRAMES_TESTED} frames of each; in brackets 95 % "
        "(bootstrap over episodes). CPU seconds: of training, all threads together; two cores have 1800 in 15 minutes. "
        "The supervised net sees the same frames in the same batches as the recipe, both looks of each, with the same "
        "noise and colour changes and no shift, which would move its labels.",
    }
    header = ["# The default recipe beside supervised training", "", "Made by `python tools/default_recipe.py`.", ""]
    write_text(arguments.cells.with_suffix(".md"), "\n".join([*header, as_markdown(table)]))


def _words(estimate: Mapping[str, float]) -> str:
    return "{value:.2f} ({low:.2f} to {high:.2f})".format(**estimate)


if __name__ == "__main__":
    main()
