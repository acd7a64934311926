"""The expert table: task x arm x domain. Each finished cell is a file, so the table grows over many runs.

    python tools/expert_table.py --domains nominal randomized shifted heldout --num-episodes 100

A cell is measured again when its env behaves otherwise than before: its key is a fingerprint of one expert episode.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from robossl.evaluation.intervals import wilson
from robossl.runs import fingerprint
from robossl.runs.files import write_json
from robossl_envs.arms import ARM_IDS, ROBOTS, TASKS

FIRST_SEED = 5_000_000
"""Far from the seeds of demonstrations and of evaluation."""
KEY_SEED = 4_999_999
COLUMNS = ("task", "arm", "domain", "n", "success rate", "low", "high", "median steps")


def main() -> None:
    """Measure the cells that are missing and print the table."""
    arguments = _arguments()
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    for env_id, (robot, task) in ARM_IDS.items():
        for domain in arguments.domains if task in arguments.tasks else ():
            found = _cell(env_id, domain, arguments.num_episodes, arguments.folder / f"{task}-{robot}-{domain}.json")
            solved = sum(found["success"])
            low, high = wilson(solved, len(found["success"]))
            numbers = [solved / len(found["success"]), low, high]
            row = [task, ROBOTS[robot], domain, len(found["success"]), *(f"{number:.3f}" for number in numbers)]
            lines.append(f"| {' | '.join(map(str, [*row, int(np.median(found['steps']))]))} |")
            print(lines[-1], flush=True)
    arguments.folder.with_suffix(".md").write_text("\n".join([*_header(), *lines, ""]), encoding="utf-8")


def _header() -> list[str]:
    return [
        "# Scripted experts",
        "",
        "Made by `python tools/expert_table.py`. Interval: Wilson, 95 %. Episodes start from seed 5,000,000; the",
        "expert is not disturbed. Success is defined in [tasks](../tasks.md).",
        "",
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--domains", nargs="+", default=["nominal", "randomized", "shifted", "heldout"])
    parser.add_argument("--num-episodes", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=Path("docs/results/experts"))
    return parser.parse_args()


def _cell(env_id: str, domain: str, num_episodes: int, path: Path) -> dict[str, Any]:
    """Return the cell, measured now as far as it was not before."""
    env: Any = gym.make(f"robossl_envs:{env_id}", domain=domain, obs_format="state").unwrapped
    states, steps, success = _episode(env, KEY_SEED)
    key = fingerprint([env_id, domain, steps, success, np.round(states[::5], 2).tolist()])
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if found.get("key") != key:
        found = {"key": key, "env_id": env_id, "domain": domain, "first_seed": FIRST_SEED, "success": [], "steps": []}
    for seed in range(FIRST_SEED + len(found["success"]), FIRST_SEED + num_episodes):
        _, steps, success = _episode(env, seed)
        found["success"].append(success)
        found["steps"].append(steps)
    env.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    return found


def _episode(env: Any, seed: int) -> tuple[np.ndarray, int, bool]:
    """Return the environment states, the number of steps, and whether the task was solved."""
    _, info = env.reset(seed=seed)
    expert, states, done = env.expert(seed=seed), [info["environment_state"]], False
    while not done:
        _, _, terminated, truncated, info = env.step(expert.act({}))
        states.append(info["environment_state"])
        done = terminated or truncated
    return np.array(states), len(states) - 1, bool(info["is_success"])


if __name__ == "__main__":
    main()
