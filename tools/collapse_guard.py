"""How often the watch over a pretraining run is right: short runs that collapse on purpose, beside healthy ones.

    python tools/collapse_guard.py     # what is finished is not run again

Each case is a run of 150 small steps on play of Reach. A case is what was done to it, not what its features look like
in the end: a regularizer dropped, a slow copy that follows at once, a learning rate thirty times too high, one picture
instead of data; or nothing.
"""

import argparse
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robossl.config.collect import CollectConfig
from robossl.config.later import without_later
from robossl.config.load import dump_values
from robossl.config.pretrain import AugmentationConfig, EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.errors import TrainingError
from robossl.evaluation.health import MIN_RANK_SHARE, MIN_SPREAD_SHARE
from robossl.evaluation.intervals import wilson
from robossl.runs import fingerprint, open_run
from robossl.runs.files import write_json, write_text
from robossl.runs.video_file import write_mp4
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.pretrain import pretrain

SEED = 1
"""Of weights and data order; the limits of the watch were chosen on seed 0."""
LOOKS = {"across_views": True}
NOTHING = {"variance_weight": 0.0, "covariance_weight": 0.0}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run."""

    objective: str
    done: str = ""
    """What was done so that it collapses; empty: nothing."""
    params: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float = 2e-3
    constant: bool = False
    beside: str = ""
    """Another objective with the same weight."""

    @property
    def name(self) -> str:
        """Name of its cell."""
        words = [self.objective, self.beside, self.done, "" if self.learning_rate > 1e-3 else "slowly"]
        return "-".join(filter(None, words)).replace(" ", "_")


DROPPED = [
    Case(objective="vicreg", params=LOOKS | NOTHING),
    Case(objective="gaussian_embedding", params=LOOKS | {"regularizer_share": 0.0}),
    Case(objective="slow_features", params=NOTHING),
    Case(objective="forward_dynamics", params=NOTHING),
    Case(objective="latent_rollout", params={"regularizer_weight": 0.0}),
]
AT_ONCE = [
    Case(objective="future_features", params=NOTHING | {"momentum": 0.0}),
    Case(objective="byol", params=LOOKS | {"momentum": 0.0}),
    Case(objective="masked_latents", params={"momentum": 0.0}),
    Case(objective="self_prediction", params={"momentum": 0.0}),
]
METHODS = [
    Case(objective="paired_looks", params={"temperature": 0.05}),
    Case(objective="vicreg", params=LOOKS),
    Case(objective="gaussian_embedding", params=LOOKS),
    Case(objective="slow_features"),
    Case(objective="simclr"),
    Case(objective="latent_rollout"),
    Case(objective="time_contrast"),
    Case(objective="inverse_dynamics"),
    Case(objective="barlow_twins", params=LOOKS),
    Case(objective="byol", params=LOOKS),
    Case(objective="future_features"),
    Case(objective="forward_dynamics"),
    Case(objective="self_prediction"),
    Case(objective="masked_latents"),
    Case(objective="r3m"),
    Case(objective="autoencoder"),
]
COLLAPSING = [
    *(replace(case, done="regularizer dropped") for case in DROPPED),
    *(replace(case, done="slow copy off") for case in AT_ONCE),
    *(replace(case, done="learning rate x 30", learning_rate=6e-2) for case in METHODS),
    *(Case(objective=name, done="one picture", constant=True) for name in ("simclr", "byol", "time_contrast")),
]
HEALTHY = [
    *METHODS,
    *(replace(METHODS[number], learning_rate=6e-4) for number in (0, 1, 6)),
    Case(objective="paired_looks", params={"temperature": 0.05}, beside="inverse_dynamics"),
]
COLUMNS = ["run", "done to it", "alarm", "at step", "of what", "effective rank", "spread", "probe r2"]


def main() -> None:
    """Run the cases that are missing and write the table."""
    arguments = _arguments()
    torch.set_num_threads(1)
    play = arguments.work / "play"
    how = CollectConfig(
        output=play,
        num_episodes=60,
        noise=0.2,
        max_episode_steps=20,
        second_look=True,
        look_every=10,
        renderer="tiny",
        num_workers=1,
        seed=1000,
    )
    run_stage("collect", collect, how)
    constant = _one_picture(arguments.work / "one_picture")
    for case in (*COLLAPSING, *HEALTHY):
        _cell(case, constant if case.constant else play, arguments)
        _write_table(arguments)
    print(arguments.cells.with_suffix(".md"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/collapse"))
    parser.add_argument("--cells", type=Path, default=Path("docs/results/collapse"))
    return parser.parse_args()


def _one_picture(folder: Path) -> Path:
    """Return a folder of videos that all show one picture."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    for number in range(8):
        path = folder / f"{number}.mp4"
        if not path.exists():
            write_mp4(path, np.repeat(picture[None], 20 + number, axis=0), fps_hz=20.0)
    return folder


def _config(case: Case, data: Path, work: Path) -> PretrainConfig:
    objectives = [ObjectiveConfig(name=case.objective, params=dict(case.params))]
    if case.beside:
        objectives.append(ObjectiveConfig(name=case.beside))
    return PretrainConfig(
        output=work / "run",
        sources=(SourceConfig(path=data),),
        objectives=tuple(objectives),
        encoder=EncoderConfig(params={"pooling": "spatial_softmax", "widths": (16, 32, 64, 64)}),
        augmentation=AugmentationConfig(shift_px=0, noise=0.03),
        batch_size=16,
        learning_rate=case.learning_rate,
        warmup_steps=5,
        num_steps=150,
        log_every=1,
        checkpoint_every=1000,
        cache_dir=work / "cache",
        seed=SEED,
        device="cpu",
    )


class _Alarms(logging.Handler):
    """Keeps what the watch says."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _cell(case: Case, data: Path, arguments: argparse.Namespace) -> None:
    """Run a case, unless its cell is there."""
    config = _config(case, data, arguments.work)
    settings = {
        k: v for k, v in without_later(dump_values(config)).items() if k not in ("output", "sources", "cache_dir")
    }
    key = fingerprint([settings, case.constant, MIN_RANK_SHARE, MIN_SPREAD_SHARE])
    path = arguments.cells / f"{case.name}.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8"))["key"] == key:
        return
    shutil.rmtree(config.output, ignore_errors=True)
    alarms = _Alarms()
    watched = logging.getLogger("robossl.stages.pretrain_health")
    watched.addHandler(alarms)
    result: dict[str, Any] = {}
    try:
        with open_run(config.output, command="pretrain", config=config) as run:
            result = run.finish(pretrain(config, run=run))
    except TrainingError as error:
        alarms.lines.append(str(error))
    finally:
        watched.removeHandler(alarms)
    arguments.cells.mkdir(parents=True, exist_ok=True)
    found = {name: round(value, 3) for name, value in result.items() if name.startswith("health/")}
    write_json(path, {"key": key, "case": case.name, "done": case.done, "alarm": alarms.lines, **found})
    print(f"{case.name}: {alarms.lines or 'no alarm'}", flush=True)


def _write_table(arguments: argparse.Namespace) -> None:
    """Write the table of the cases that are finished."""
    cells = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in arguments.cells.glob("*.json")}
    collapsing, healthy = ([cells[c.name] for c in cases if c.name in cells] for cases in (COLLAPSING, HEALTHY))
    recall, false = _share(collapsing), _share(healthy)
    table = {
        "title": f"Alarms: {recall} of the runs that were made to collapse, {false} of the healthy ones",
        "columns": COLUMNS,
        "rows": [_row(cell) for cell in (*collapsing, *healthy)],
        "note": "Of 128 held-out frames of play of Reach after the last step; in brackets Wilson's interval of 95 %. "
        f"An alarm comes below {MIN_RANK_SHARE} of the fresh encoder's effective rank or {MIN_SPREAD_SHARE} of its "
        "spread, looked at every 10 of 150 steps; both limits were chosen on other weights and data orders of the same "
        "kinds of runs. Training ends too soon for the probe to mean much.",
    }
    header = ["# The watch against collapse", "", "Made by `python tools/collapse_guard.py`.", ""]
    write_text(arguments.cells.with_suffix(".md"), "\n".join([*header, as_markdown(table)]))


def _share(cells: Sequence[Mapping[str, Any]]) -> str:
    count = sum(bool(cell["alarm"]) for cell in cells)
    if not cells:
        return "none yet"
    low, high = wilson(count, len(cells))
    return f"{count} of {len(cells)} ({100 * low:.0f} to {100 * high:.0f} %)"


def _row(cell: Mapping[str, Any]) -> list[Any]:
    line = cell["alarm"][0] if cell["alarm"] else ""
    step, what = "–", "–"
    if line.startswith("the features collapse"):
        step = line.split("seen at step ")[1].split(" ")[0]
        what = " and ".join(word for word in ("effective rank", "spread") if f"{word} " in line)
    elif line:
        step, what = line.split(" at step ")[1].split(" ")[0], "loss not finite"
    numbers = [cell.get(f"health/{name}", "–") for name in ("effective_rank", "spread", "probe_r2")]
    name = cell["case"].removesuffix(f"-{cell['done'].replace(' ', '_')}")
    return [name, cell["done"] or "nothing", "yes" if line else "no", step, what, *numbers]


if __name__ == "__main__":
    main()
