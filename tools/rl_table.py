"""How many env steps it takes to solve a task on a frozen encoder, from scratch by DrQ, and on simulator state.

    python tools/rl_table.py                                          # all cells; what is finished is not run again
    python tools/rl_table.py --tasks reach --variants frozen --seeds 0

Needs the extra sb3. All learn by soft actor-critic with the settings of `configs/reinforce`, except that DrQ learns
at every second env step, as DrQ-v2; its encoder has the architecture of the pretrained one. A policy counts as
there at the first check in which it solves 80 % of what the policy on state solved in its final score. Each finished
cell is a file, so the table grows over many runs.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from robossl.config.collect import CollectConfig
from robossl.config.later import without_later
from robossl.config.load import dump_values, load_config
from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.config.reinforce import ReinforceConfig
from robossl.runs import fingerprint
from robossl.runs.files import write_json, write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.pretrain import pretrain
from robossl.stages.reinforce import reinforce

ROOT = Path(__file__).parents[1]
TASKS: dict[str, dict[str, Any]] = {
    "reach": {},
    "cart_pole": {},
    "ball_on_plate": {},
    "reacher": {},
    "reacher_randomized": {"domain": "randomized"},
}
"""What is not as in the task's file of `configs/reinforce`."""
PLAY = {"reach": (300, 30), "cart_pole": (200, 60), "ball_on_plate": (200, 60), "reacher": (600, 30)}
"""Episodes of play that the encoder of a task is pretrained on, and their length."""
RECIPES = {"reach": "reach"}
"""Of pretraining, where it is not `control`."""
VARIANTS = {
    "state": "none: simulator state",
    "frozen": "pretrained, frozen",
    "random": "random, frozen",
    "scratch": "from scratch (DrQ)",
}
SHARE = 0.8
"""Of the state policy's success that has to be reached."""
STOP_AT = 0.9
"""Success at which those that see pictures stop: above what has to be reached, whatever the state policy solves."""
SCRATCH: dict[str, Any] = {"mode": "scratch", "update_every": 2}
FREE = ("output", "encoder", "architecture", "tracking", "num_workers", "device", "encoder_learning_rate")
FREE_OF_PRETRAINING = ("output", "sources", "tracking", "num_workers", "device")
WHERE = ("task", "domain", "encoder", "seed", "env_steps", "play")
COLUMNS = (*WHERE, "trained", "n", "success_rate", "low", "high", "seconds")
NOTE = (
    "env_steps: until the first check (30 episodes, every 1,000 steps) with 80 % of the state policy's final success; "
    "'> 20000': not within the budget. They include about 600 that features and proprio are standardized with, but not "
    "play: the env steps, each under two looks and without reward, that the encoder was pretrained on before, once for "
    "all that is learned on it. Training stopped after a check with 0.9 (state: 1.0); success_rate: of that policy, on "
    "n other episodes, with Wilson's 95 % interval. trained: all env steps. seconds: wall clock on cores shared with "
    "other work."
)


def main() -> None:
    """Learn the cells that are missing, and write the table."""
    arguments = _arguments()
    for seed in arguments.seeds:
        for task in arguments.tasks:
            for variant in arguments.variants:
                _cell(task, variant, seed, arguments)
    print(arguments.cells.with_suffix(".md"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--work", type=Path, default=Path("runs/rl"))
    parser.add_argument("--cells", type=Path, default=Path("docs/results/rl"))
    return parser.parse_args()


def _load(task: str) -> ReinforceConfig:
    return replace(load_config(ReinforceConfig, ROOT / f"configs/reinforce/{_world(task)}.yaml"), **TASKS[task])


def _world(task: str) -> str:
    """Return the task whose env, play and encoder this one has."""
    return task.removesuffix("_randomized")


def _pretraining(world: str) -> PretrainConfig:
    return load_config(PretrainConfig, ROOT / f"configs/pretrain/{RECIPES.get(world, 'control')}.yaml")


def _encoder(world: str, work: Path) -> Path:
    """Return the encoder of a task, pretrained on its play now if it is not there."""
    config = _load(world)
    num_episodes, length = PLAY[world]
    play = CollectConfig(
        output=work / f"play-{world}",
        env_id=config.env_id,
        policy="play",
        noise=0.2,
        num_episodes=num_episodes,
        max_episode_steps=length,
        second_look=True,
        look_every=10,
        renderer="tiny",
    )
    run_stage("collect", collect, play)
    source = SourceConfig(path=play.output)
    how = replace(_pretraining(world), output=work / f"pretrain-{world}", sources=(source,))
    run_stage("pretrain", pretrain, how)
    return how.output / "encoder"


def _config(task: str, variant: str, seed: int, arguments: argparse.Namespace) -> ReinforceConfig:
    world, work = _world(task), arguments.work
    config = replace(_load(task), output=work / f"{task}-{variant}-{seed}", seed=seed, stop_at=STOP_AT)
    match variant:
        case "state":
            return replace(config, encoder="state", num_observation_steps=1, stop_at=1.0)
        case "scratch":
            return replace(config, architecture=str(_encoder(world, work)), **SCRATCH)
        case "random":
            return replace(config, encoder="random", architecture=str(_encoder(world, work)))
        case _:
            return replace(config, encoder=str(_encoder(world, work)))


def _cell(task: str, variant: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return a cell, learned now if it is not there."""
    path = arguments.cells / f"{task}-{variant}-{seed}.json"
    settings = _settings(task, variant)
    if path.is_file() and (there := json.loads(path.read_text(encoding="utf-8")))["key"] == fingerprint(settings):
        return there
    result = run_stage("reinforce", reinforce, _config(task, variant, seed, arguments))
    scored = result["domains"][settings["domain"]]
    cell = {
        "key": fingerprint(settings),
        "task": task,
        "variant": variant,
        "seed": seed,
        "trained": result["env_steps"],
        **{name: round(scored[name], 3) for name in ("n", "success_rate", "low", "high")},
        "seconds": round(result["seconds"]["reinforce"]),
        "curve": result["curve"],
        "settings": settings,
    }
    arguments.cells.mkdir(parents=True, exist_ok=True)
    write_json(path, cell)
    _write_table(arguments.cells)
    print(f"{path.stem}: {cell['trained']} env steps, {cell['success_rate']} of {cell['n']}", flush=True)
    return cell


def _settings(task: str, variant: str) -> dict[str, Any]:
    """Return what a cell depends on, but no path: of pretraining the architecture alone where weights are fresh."""
    how = without_later(dump_values(_pretraining(_world(task))))
    own: dict[str, Any] = {"variant": variant, "stop_at": 1.0 if variant == "state" else STOP_AT}
    if variant == "frozen":
        recipe = {name: value for name, value in how.items() if name not in FREE_OF_PRETRAINING}
        own["pretraining"] = fingerprint([PLAY[_world(task)], recipe])
    elif variant != "state":
        own["architecture"] = how["encoder"]
    shared = {name: value for name, value in without_later(dump_values(_load(task))).items() if name not in FREE}
    return shared | (SCRATCH if variant == "scratch" else {}) | own


def _write_table(cells: Path) -> None:
    """Write the table of all cells that are there with the present settings."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(cells.glob("*.json"))]
    found = [cell for cell in read if cell["key"] == fingerprint(_settings(cell["task"], cell["variant"]))]
    found.sort(key=lambda cell: (list(TASKS).index(cell["task"]), list(VARIANTS).index(cell["variant"]), cell["seed"]))
    solved = {
        task: [c["success_rate"] for c in found if (c["task"], c["variant"]) == (task, "state")] for task in TASKS
    }
    goals = {task: SHARE * sum(rates) / len(rates) for task, rates in solved.items() if rates}
    rows = [_row(cell, goals.get(cell["task"])) for cell in found]
    title = "Env steps to 80 % of the state policy's success"
    table = {"title": title, "columns": COLUMNS, "rows": rows, "note": NOTE}
    header = ["# Reinforcement learning", "", "Made by `python tools/rl_table.py`.", ""]
    write_text(cells.with_suffix(".md"), "\n".join([*header, as_markdown(table), *_curves(found)]))


def _row(cell: Mapping[str, Any], goal: float | None) -> list[Any]:
    """Return the values of `COLUMNS`; without a goal, which the state policy gives, it is not known when it was met."""
    budget = cell["settings"]["num_steps"]
    met = next((steps for steps, _, rate in cell["curve"] if goal and rate >= goal), f"> {budget}" if goal else "–")
    num_episodes, length = PLAY[_world(cell["task"])] if cell["variant"] == "frozen" else (0, 0)
    own = [cell["settings"]["domain"], VARIANTS[cell["variant"]], cell["seed"], met, num_episodes * length]
    return [_world(cell["task"]), *own, *(cell[name] for name in COLUMNS[len(WHERE) :])]


def _curves(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line for each cell: success at each check."""
    lines = ["", "## Success at each check", ""]
    for cell in cells:
        points = ", ".join(f"{steps}: {rate:.2f}" for steps, _, rate in cell["curve"])
        where = f"{_world(cell['task'])}, {cell['settings']['domain']}"
        lines.append(f"- {where}, {VARIANTS[cell['variant']]}, seed {cell['seed']}: {points}")
    return [*lines, ""]


if __name__ == "__main__":
    main()
