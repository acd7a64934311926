"""The expert table: task x arm x setting. Each finished cell is a file, so the table grows over many runs.

    python tools/expert_table.py --arms panda --settings heldout heldout_hard
    python tools/expert_table.py --noise 0.15 0.3

Cells are made by worker processes, held-out ones first; the page is written anew after each. A cell is measured again
when its env behaves otherwise than before: its key is a fingerprint of one expert episode. The second command measures
how well disturbed experts do, and how far their paths are from those of undisturbed ones.
"""

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from robossl.evaluation.intervals import wilson
from robossl.runs import fingerprint
from robossl.runs.files import write_text
from robossl_envs.arms import ROBOTS, TASKS

FIRST_SEED = 5_000_000
"""Far from the seeds of demonstrations and of evaluation."""
KEY_SEED = 4_999_999
MANY, FEW = 500, 50
SETTINGS: dict[str, tuple[dict[str, Any], int]] = {
    "heldout": ({"domain": "heldout"}, MANY),
    "heldout_hard": ({"domain": "heldout_hard"}, MANY),
    "full": ({"domain": "randomized", "randomization": "full"}, MANY),
    "nominal": ({"domain": "nominal"}, FEW),
    "light": ({"domain": "randomized", "randomization": "light"}, FEW),
    "randomized": ({"domain": "randomized"}, FEW),
    "shifted": ({"domain": "shifted"}, FEW),
}
"""What an env is made with, and how many episodes are measured, in the order of work."""
CONTROL = {
    "cart_pole": "CartPoleSwingUp",
    "reacher": "TwoLinkReacher",
    "ball_on_plate": "BallOnPlate",
    "navigation": "RoomNavigation",
}
NO_ARM = "none"
NOISES = (0.15, 0.3)
"""Disturbances that are measured, for the first arm alone: what demonstrations are made with, and twice that."""
NOISE_SETTING, NUM_NOISY = "randomized", 100
COLUMNS = ("task", "arm", "setting", "n", "success rate", "low", "high", "median steps")
NOISY_COLUMNS = ("task", "noise", "n", "success rate", "low", "high", "median steps", "off the path [mm]")
PATH_POINTS = 50
"""Points that two paths are compared at."""
CHUNK = 100
"""Episodes between two writes: so many are lost when a run is stopped."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One row of the table."""

    task: str
    arm: str
    setting: str
    noise: float = 0.0

    @property
    def num_episodes(self) -> int:
        """How many episodes are measured unless another number is asked for."""
        return NUM_NOISY if self.noise else SETTINGS[self.setting][1]

    @property
    def env_id(self) -> str:
        """Id of the env."""
        name = CONTROL[self.task] if self.arm == NO_ARM else ROBOTS[self.arm] + TASKS[self.task]
        return f"robossl_envs:robossl/{name}-v0"

    def path(self, folder: Path) -> Path:
        """Return where its numbers are kept."""
        noise = f"-noise{self.noise:g}" if self.noise else ""
        return folder / f"{self.task}-{self.arm}-{self.setting}{noise}.json"


def main() -> None:
    """Measure the cells that are missing and write the page."""
    arguments = _arguments()
    asked = [
        cell
        for cell in _cells()
        if cell.task in arguments.tasks
        and cell.arm in arguments.arms
        and cell.setting in arguments.settings
        and cell.noise in arguments.noise
    ]
    asked.sort(key=lambda cell: list(ROBOTS).index(cell.arm) if cell.arm in ROBOTS else len(ROBOTS))
    with ProcessPoolExecutor(arguments.num_workers) as pool:
        running = {pool.submit(_measure, cell, arguments.folder, arguments.num_episodes): cell for cell in asked}
        for future in as_completed(running):
            future.result()
            print(_row(running[future], arguments.folder), flush=True)
            _write_page(arguments.folder)
    _write_page(arguments.folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks, arms = [*TASKS, *CONTROL], [*ROBOTS, NO_ARM]
    parser.add_argument("--tasks", nargs="+", default=tasks, choices=tasks)
    parser.add_argument("--arms", nargs="+", default=arms, choices=arms, help="none: the control tasks")
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--noise", nargs="+", type=float, default=[0.0], choices=[0.0, *NOISES])
    parser.add_argument("--num-episodes", type=int, default=0, help=f"0: {MANY} where it matters most, else {FEW}")
    parser.add_argument("--num-workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("docs/results/experts"))
    return parser.parse_args()


def _cells() -> Iterator[Cell]:
    """Yield every cell, in the order of the page."""
    for arm, tasks in (*((arm, TASKS) for arm in ROBOTS), (NO_ARM, CONTROL)):
        for setting in SETTINGS:
            for task in tasks:
                if arm != NO_ARM or not setting.startswith("heldout"):
                    yield Cell(task=task, arm=arm, setting=setting)
    for task in TASKS:
        for noise in NOISES:
            yield Cell(task=task, arm=next(iter(ROBOTS)), setting=NOISE_SETTING, noise=noise)


def _measure(cell: Cell, folder: Path, num_episodes: int) -> None:
    """Bring a cell up to its number of episodes; a disturbed one is compared with the same start undisturbed."""
    env: Any = gym.make(cell.env_id, **SETTINGS[cell.setting][0], obs_format="state").unwrapped
    states, steps, success = _episode(env, KEY_SEED, noise=cell.noise)
    key = fingerprint([cell.env_id, cell.setting, steps, success, np.round(states[::5], 2).tolist()])
    found = _read(cell.path(folder))
    found = found if found.get("key") == key else {}
    episodes, off_mm = found.get("episodes", "").split(), found.get("off_mm", "").split()
    wanted = num_episodes or cell.num_episodes
    for start in range(len(episodes), wanted, CHUNK):
        for seed in range(FIRST_SEED + start, FIRST_SEED + min(start + CHUNK, wanted)):
            states, steps, success = _episode(env, seed, noise=cell.noise)
            episodes.append(str(steps) if success else f"-{steps}")
            if cell.noise:
                off_mm.append(f"{1e3 * _apart_m(states, _episode(env, seed)[0]):.0f}")
        _write(
            cell,
            folder,
            {"key": key, "episodes": " ".join(episodes)} | ({"off_mm": " ".join(off_mm)} if off_mm else {}),
        )
    env.close()


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _write(cell: Cell, folder: Path, found: dict[str, str]) -> None:
    """Write a cell: the steps of each episode from the first seed on, with a minus where it was not solved."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"env_id": cell.env_id, "setting": cell.setting, "first_seed": FIRST_SEED}
    found = {"key": found["key"], **about, **({"noise": cell.noise} if cell.noise else {}), **found}
    write_text(cell.path(folder), json.dumps(found, indent=1) + "\n")


def _episode(env: Any, seed: int, *, noise: float = 0.0) -> tuple[np.ndarray, int, bool]:
    """Return the environment states, the number of steps, and whether the task was solved."""
    _, info = env.reset(seed=seed)
    expert, states, done = env.expert(seed=seed, noise=noise), [info["environment_state"]], False
    while not done:
        _, _, terminated, truncated, info = env.step(expert.act({}))
        states.append(info["environment_state"])
        done = terminated or truncated
    return np.array(states), len(states) - 1, bool(info["is_success"])


def _apart_m(states: np.ndarray, others: np.ndarray) -> float:
    """Return the mean distance between the gripper's places in two episodes, at equal shares of their lengths."""
    shares = np.linspace(0.0, 1.0, PATH_POINTS)
    paths_m = [path[np.round(shares * (len(path) - 1)).astype(int), :3] for path in (states, others)]
    return float(np.linalg.norm(paths_m[0] - paths_m[1], axis=1).mean())


def _row(cell: Cell, folder: Path) -> str:
    found = _read(cell.path(folder))
    steps = [int(text) for text in found["episodes"].split()]
    solved = sum(number > 0 for number in steps)
    numbers = [f"{number:.3f}" for number in (solved / len(steps), *wilson(solved, len(steps)))]
    numbers = [str(len(steps)), *numbers, str(int(np.median(np.abs(steps))))]
    if cell.noise:
        off_mm = np.mean(
            [float(text) for text, number in zip(found["off_mm"].split(), steps, strict=True) if number > 0]
        )
        return f"| {' | '.join([cell.task, f'{cell.noise:g}', *numbers, f'{off_mm:.0f}'])} |"
    return f"| {' | '.join([cell.task, ROBOTS.get(cell.arm, '–'), cell.setting, *numbers])} |"


def _table(columns: tuple[str, ...], rows: list[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *rows]


def _write_page(folder: Path) -> None:
    """Write the tables of all cells that there are."""
    rows = {cell: _row(cell, folder) for cell in _cells() if cell.path(folder).is_file()}
    lines = [
        "# Scripted experts",
        "",
        "Made by `python tools/expert_table.py`. Interval: Wilson, 95 %. Episodes start from seed 5,000,000; the",
        "expert is not disturbed. Success is defined in [tasks](../tasks.md) and [control tasks](../control.md).",
        "",
        *_table(COLUMNS, [row for cell, row in rows.items() if not cell.noise]),
        "",
        "## Disturbed",
        "",
        f"Made by `python tools/expert_table.py --noise {' '.join(map(str, NOISES))}`, in `{NOISE_SETTING}` with the",
        f"{next(iter(ROBOTS.values()))}. Noise is the standard deviation of what is added to every step, in units of",
        "the largest one. Last column, of solved episodes: how far the gripper is from where it would be undisturbed,",
        "on average over equal shares of both episodes. So much do demonstrations of the same start differ.",
        "",
        *_table(NOISY_COLUMNS, [row for cell, row in rows.items() if cell.noise]),
        "",
    ]
    write_text(folder.with_suffix(".md"), "\n".join(lines))


if __name__ == "__main__":
    main()
