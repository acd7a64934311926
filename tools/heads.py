"""Heads compared: one that gives the mean action, and those that draw one of several ways.

    python tools/heads.py                                       # all cells; what is finished is not run again
    python tools/heads.py --tasks detour --heads mlp flow --seeds 0

Policies on simulator state, so that the head alone differs, with chunks of 8 actions that are carried out to their end
before the next one is asked for (Chi et al. 2023, Diffusion policy, arXiv 2303.04137): in `detour` the mean of the two
ways leads into the obstacle. A mean that is asked anew at each step slips off the middle by chance and goes on.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from robossl.config.collect import CollectConfig
from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.config.later import without_later
from robossl.config.load import dump_values
from robossl.runs.files import write_text
from robossl.stages.benchmark_cells import Cell, as_markdown, table
from robossl.stages.benchmark_pairs import differences
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune

ROOT = Path(__file__).parents[1]
ENVS = {
    "detour": "robossl/PandaDetour-v0",
    "push": "robossl/PandaPush-v0",
    "button_press": "robossl/PandaButtonPress-v0",
    "drawer_opening": "robossl/PandaDrawerOpening-v0",
}
LABELS = {
    "mlp": "MLP, L1",
    "mlp_mse": "MLP, squared error",
    "flow": "flow matching",
    "diffusion": "diffusion",
}
CHUNK_LENGTH = 8
NUM_DEMONSTRATIONS = 50
NUM_EPISODES = 50
NUM_STEPS = 4000
NOISE = 0.1
FREE = ("output", "demonstrations", "policy", "tracking", "num_workers")


def main() -> None:
    """Measure the cells that are missing, and write the table of all that are there."""
    arguments = _arguments()
    for seed in arguments.seeds:
        for task in arguments.tasks:
            for head in arguments.heads:
                _cell(task, head, seed).get(arguments.cells, partial(_measure, task, head, seed, arguments.work))
                _write(arguments.cells)


def _cell(task: str, head: str, seed: int) -> Cell:
    here = Path()
    stages = (_demonstrations(task, seed, here), _cloning(head, seed, here, here), _evaluation(task, "", here))
    settings = {
        type(stage).__name__: {
            key: value for key, value in without_later(dump_values(stage)).items() if key not in FREE
        }
        for stage in stages
    }
    return Cell(task=task, variant=head, seed=seed, settings=settings)


def _measure(task: str, head: str, seed: int, work: Path) -> dict[str, Any]:
    demonstrations, policy = work / f"demonstrations-{task}-{seed}", work / f"policy-{task}-{head}-{seed}"
    run_stage("collect", collect, _demonstrations(task, seed, demonstrations))
    run_stage("finetune", finetune, _cloning(head, seed, demonstrations, policy))
    how = _evaluation(task, str(policy / "policy"), work / f"evaluate-{task}-{head}-{seed}")
    return run_stage("evaluate", evaluate, how)


def _demonstrations(task: str, seed: int, output: Path) -> CollectConfig:
    return CollectConfig(
        output=output,
        env_id=ENVS[task],
        policy="expert",
        noise=NOISE,
        only_successful=True,
        intended_actions=True,
        num_episodes=NUM_DEMONSTRATIONS,
        seed=500_000 + 1000 * seed,
        renderer="tiny",
        num_workers=1,
    )


def _cloning(head: str, seed: int, demonstrations: Path, output: Path) -> FinetuneConfig:
    kind, _, loss = head.partition("_")
    how: dict[str, Any] = {"head": kind} | ({"loss": loss} if loss else {})
    return FinetuneConfig(
        output=output,
        demonstrations=demonstrations,
        num_demonstrations=NUM_DEMONSTRATIONS,
        encoder="state",
        chunk_length=CHUNK_LENGTH,
        execute_steps=CHUNK_LENGTH,
        labels="intended",
        num_steps=NUM_STEPS,
        seed=seed,
        **how,
    )


def _evaluation(task: str, policy: str, output: Path) -> EvaluateConfig:
    return EvaluateConfig(
        output=output,
        policy=policy,
        env_id=ENVS[task],
        domains=("randomized", "heldout"),
        num_episodes=NUM_EPISODES,
        seed=5_000_000,
        renderer="tiny",
        num_videos=2,
        num_workers=1,
    )


def _write(cells: Path) -> None:
    """Write the table of the cells that are there."""
    found = []
    for task in ENVS:
        for head in LABELS:
            seeds = [
                _cell(task, head, int(path.stem.rsplit("-", 1)[1])) for path in cells.glob(f"{task}-{head}-?.json")
            ]
            found += [
                (cell, known) for cell in sorted(seeds, key=lambda cell: cell.seed) if (known := cell.read(cells))
            ]
    success = table(found, labels=LABELS)
    columns = ["head" if name == "encoder" else name for name in success["columns"]]
    tables = [success | {"title": "Success", "columns": columns}]
    tasks = list(dict.fromkeys(cell.task for cell, _ in found))
    for head in ("flow", "diffusion"):
        others = [name for name in LABELS if name.startswith("mlp")]
        tables.append(differences(found, tasks=tasks, of=head, against=others, labels=LABELS))
    title = "# Heads\n\nMade by `python tools/heads.py`.\n\n"
    write_text(cells.with_suffix(".md"), title + "\n".join(as_markdown(one) for one in tables))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=list(ENVS), default=list(ENVS))
    parser.add_argument("--heads", nargs="+", choices=list(LABELS), default=list(LABELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--cells", type=Path, default=ROOT / "docs/results/heads", help="folder of the finished cells")
    parser.add_argument("--work", type=Path, default=ROOT / "runs/heads", help="folder of the runs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
