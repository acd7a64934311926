"""The expert table: task x arm x setting. Each finished cell is a file, so the table grows over many runs.

    python tools/expert_table.py --arms panda --settings heldout heldout_hard

Cells are made by worker processes, held-out ones first; the page is written anew after each. A cell is measured again
when its env behaves otherwise than before: its key is a fingerprint of one expert episode.
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
COLUMNS = ("task", "arm", "setting", "n", "success rate", "low", "high", "median steps")
CHUNK = 100
"""Episodes between two writes: so many are lost when a run is stopped."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One row of the table."""

    task: str
    arm: str
    setting: str

    @property
    def env_id(self) -> str:
        """Id of the env."""
        name = CONTROL[self.task] if self.arm == NO_ARM else ROBOTS[self.arm] + TASKS[self.task]
        return f"robossl_envs:robossl/{name}-v0"

    def path(self, folder: Path) -> Path:
        """Return where its numbers are kept."""
        return folder / f"{self.task}-{self.arm}-{self.setting}.json"


def main() -> None:
    """Measure the cells that are missing and write the page."""
    arguments = _arguments()
    asked = [
        cell
        for cell in _cells()
        if cell.task in arguments.tasks and cell.arm in arguments.arms and cell.setting in arguments.settings
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


def _measure(cell: Cell, folder: Path, num_episodes: int) -> None:
    """Bring a cell up to its number of episodes."""
    keywords, usual = SETTINGS[cell.setting]
    env: Any = gym.make(cell.env_id, **keywords, obs_format="state").unwrapped
    states, steps, success = _episode(env, KEY_SEED)
    key = fingerprint([cell.env_id, cell.setting, steps, success, np.round(states[::5], 2).tolist()])
    found = _read(cell.path(folder))
    episodes: list[str] = found["episodes"].split() if found.get("key") == key else []
    for start in range(len(episodes), num_episodes or usual, CHUNK):
        for seed in range(FIRST_SEED + start, FIRST_SEED + min(start + CHUNK, num_episodes or usual)):
            _, steps, success = _episode(env, seed)
            episodes.append(str(steps) if success else f"-{steps}")
        _write(cell, folder, key, episodes)
    env.close()


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _write(cell: Cell, folder: Path, key: str, episodes: list[str]) -> None:
    """Write a cell: the steps of each episode from the first seed on, with a minus where it was not solved."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {"key": key, "env_id": cell.env_id, "setting": cell.setting, "first_seed": FIRST_SEED}
    write_text(cell.path(folder), json.dumps({**found, "episodes": " ".join(episodes)}, indent=1) + "\n")


def _episode(env: Any, seed: int) -> tuple[np.ndarray, int, bool]:
    """Return the environment states, the number of steps, and whether the task was solved."""
    _, info = env.reset(seed=seed)
    expert, states, done = env.expert(seed=seed), [info["environment_state"]], False
    while not done:
        _, _, terminated, truncated, info = env.step(expert.act({}))
        states.append(info["environment_state"])
        done = terminated or truncated
    return np.array(states), len(states) - 1, bool(info["is_success"])


def _row(cell: Cell, folder: Path) -> str:
    steps = [int(text) for text in _read(cell.path(folder))["episodes"].split()]
    solved = sum(number > 0 for number in steps)
    numbers = [solved / len(steps), *wilson(solved, len(steps))]
    arm = ROBOTS.get(cell.arm, "–")
    row = [cell.task, arm, cell.setting, len(steps), *(f"{number:.3f}" for number in numbers)]
    return f"| {' | '.join(map(str, [*row, int(np.median(np.abs(steps)))]))} |"


def _write_page(folder: Path) -> None:
    """Write the table of all cells that there are."""
    rows = [_row(cell, folder) for cell in _cells() if cell.path(folder).is_file()]
    lines = [
        "# Scripted experts",
        "",
        "Made by `python tools/expert_table.py`. Interval: Wilson, 95 %. Episodes start from seed 5,000,000; the",
        "expert is not disturbed. Success is defined in [tasks](../tasks.md) and [control tasks](../control.md).",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *rows,
        "",
    ]
    write_text(folder.with_suffix(".md"), "\n".join(lines))


if __name__ == "__main__":
    main()
