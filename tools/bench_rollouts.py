"""Pictures a second of robossl's envs beside panda-gym and gymnasium-robotics, measured side by side.

    python tools/bench_rollouts.py [--json] [--seconds 4] [--rounds 3] [--venv DIR | --no-peers]

Every row is measured in processes of its own, all rows once in each round, so that whatever else the machine does meets
all of them; the median of the rounds is reported, and beside it the processor time of one step or view in one process,
which other processes disturb less. The peers live in a virtual environment of their own, built from PyPI
at the first call (some minutes); where that does not work their rows say so.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

PEERS = ("panda-gym==3.0.7", "gymnasium-robotics==1.4.2", "mujoco==3.3.7")
"""gymnasium-robotics 1.4.2 does not run on newer MuJoCo."""
PUSH = "robossl_envs:robossl/PandaPush-v0"
EPISODE_STEPS = 50
BATCH = 256
ROWS = (
    # name, what is counted, worker, its argument, processes
    ("panda-gym PandaPush-v3, 64 px", "steps", "panda_gym", "", 1),
    ("gymnasium-robotics FetchPush-v4, 64 px, EGL", "steps", "fetch", "", 1),
    ("robossl PandaPush-v0, 64 px, tiny", "steps", "env", "tiny", 1),
    ("robossl PandaPush-v0, 64 px, tiny, two processes", "steps", "env", "tiny", 2),
    ("robossl PandaPush-v0, 64 px, gl", "steps", "env", "gl", 1),
    ("robossl PandaPush-v0, 64 px, gl, two processes", "steps", "env", "gl", 2),
    ("rerender stored states, 64 px, tiny", "views", "rerender", "tiny 64", 1),
    ("rerender stored states, 64 px, gl", "views", "rerender", "gl 64", 1),
    ("rerender stored states, 64 px, gl, two processes", "views", "rerender", "gl 64", 2),
    ("rerender stored states, 128 px, gl", "views", "rerender", "gl 128", 1),
    ("rerender stored states, 128 px, gl, two processes", "views", "rerender", "gl 128", 2),
)
COLLECTS = ("tiny", "gl")


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each row in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--collect-episodes", type=int, default=60, help="of 50 steps; 0: leave robossl collect out")
    parser.add_argument("--venv", type=Path, help="where the peers' environment is or will be")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--worker", nargs=2, metavar=("NAME", "ARGUMENT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        _work(*arguments.worker, seconds=arguments.seconds)
        return 0
    peers = None if arguments.no_peers else _peers_python(arguments.venv or _cache() / "bench-peers")
    rows = measure(peers, seconds=arguments.seconds, rounds=arguments.rounds, episodes=arguments.collect_episodes)
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores while measuring"
    if arguments.json:
        print(json.dumps({"rows": rows, "note": load}, indent=2))
    else:
        print("\n".join(_line(row) for row in rows), load, sep="\n")
    return 0


def measure(peers: Path | None, *, seconds: float, rounds: int, episodes: int) -> list[dict[str, Any]]:
    """Return a row for each measurement, with the rates of all rounds."""
    found: dict[str, dict[str, Any]] = {}
    for number in range(rounds):
        for name, unit, worker, argument, processes in ROWS:
            python = peers if worker in ("panda_gym", "fetch") else Path(sys.executable)
            row = found.setdefault(name, {"name": name, "unit": f"{unit}/s", "rates": [], "cpu_ms": [], "missing": ""})
            print(f"round {number + 1}: {name}", file=sys.stderr)
            try:
                rate, cost = _rate(python, worker, argument, processes=processes, seconds=seconds)
                row["rates"].append(rate)
                row["cpu_ms"].append(cost)
            except (OSError, RuntimeError) as error:
                row["missing"] = str(error)
        for renderer in COLLECTS if episodes else ():
            name = f"robossl collect to disk, 64 px, {renderer}, two workers"
            row = found.setdefault(name, {"name": name, "unit": "steps/s", "rates": [], "cpu_ms": [], "missing": ""})
            print(f"round {number + 1}: {name}", file=sys.stderr)
            row["rates"].append(_collect_rate(renderer, episodes))
    return [row | {"rate": statistics.median(row["rates"]) if row["rates"] else None} for row in found.values()]


def _line(row: dict[str, Any]) -> str:
    if row["rate"] is None:
        return f"{row['name']:<56} not measured: {row['missing']}"
    return (
        f"{row['name']:<56} {row['rate']:8.0f} {row['unit']:<8} ({', '.join(f'{rate:.0f}' for rate in row['rates'])})"
    )


def _rate(python: Path | None, worker: str, argument: str, *, processes: int, seconds: float) -> tuple[float, float]:
    """Start the workers, let them go at once when all are warm; return the sum of their rates, and CPU ms of each."""
    if python is None:
        raise RuntimeError("its environment is not there")
    command = [str(python), __file__, "--seconds", str(seconds), "--worker", worker, argument]
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "MUJOCO_GL": "egl"}
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=settings)
        for _ in range(processes)
    ]
    rates, cpu_ms = [], []
    for process in running:
        _wait_for(process, "ready")
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        _, rate, cost = _wait_for(process, "rate").split()
        rates.append(float(rate))
        cpu_ms.append(float(cost))
        process.communicate()
    return sum(rates), statistics.mean(cpu_ms)


def _wait_for(process: subprocess.Popen[str], word: str) -> str:
    """Return the next line that begins with a word; libraries print others."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return line
    lines = process.communicate()[1].strip().splitlines()
    raise RuntimeError(lines[-1] if lines else "it ended without a word")


def _collect_rate(renderer: str, episodes: int) -> float:
    """Return env steps a second of `robossl collect`, from the first step to the finished data set."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "robossl", "collect", "--env-id=robossl/PandaPush-v0", "--json"]
        command += [f"--num-episodes={episodes}", f"--max-episode-steps={EPISODE_STEPS}", "--num-workers=2"]
        command += [f"--renderer={renderer}", f"--output={folder}/data"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
    return float((result["num_frames"] - result["num_episodes"]) / result["seconds"]["collect"])


# --- in the workers ---------------------------------------------------------------------------------------------------


def _work(name: str, argument: str, *, seconds: float) -> None:
    """Warm up, wait for the word, and print how many a second."""
    step = {"panda_gym": _panda_gym, "fetch": _fetch, "env": _env, "rerender": _rerender}[name](argument)
    for _ in range(3):
        step()
    print("ready", flush=True)
    sys.stdin.readline()
    count, start_s, start_cpu_s = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start_s < seconds:
        count += step()
    cpu_s = time.process_time() - start_cpu_s
    print(f"rate {count / (time.perf_counter() - start_s)} {1000 * cpu_s / count}", flush=True)


def _episodes(env: Any, *, draws: bool) -> Callable[[], int]:
    """Return what takes one step; an episode ends after `EPISODE_STEPS`."""
    steps = [0]

    def step() -> int:
        if steps[0] % EPISODE_STEPS == 0:
            env.reset(seed=steps[0])
        env.step(env.action_space.sample())
        if draws:
            assert env.render().shape == (64, 64, 3)
        steps[0] += 1
        return 1

    return step


def _panda_gym(argument: str) -> Callable[[], int]:
    import gymnasium as gym
    import panda_gym  # noqa: F401  registers the envs

    env = gym.make("PandaPush-v3", render_mode="rgb_array", render_width=64, render_height=64, renderer="Tiny")
    return _episodes(env, draws=True)


def _fetch(argument: str) -> Callable[[], int]:
    import gymnasium as gym
    import gymnasium_robotics

    gym.register_envs(gymnasium_robotics)
    return _episodes(gym.make("FetchPush-v4", render_mode="rgb_array", width=64, height=64), draws=True)


def _env(argument: str) -> Callable[[], int]:
    import gymnasium as gym

    return _episodes(gym.make(PUSH, domain="randomized", renderer=argument), draws=False)


def _rerender(argument: str) -> Callable[[], int]:
    """Draw the states of an episode of the expert, each under a look of its own."""
    import gymnasium as gym
    import numpy as np

    renderer, size = argument.split()
    env: Any = gym.make(PUSH, domain="randomized", renderer=renderer, image_size=int(size)).unwrapped
    expert = env.expert()
    observation, info = env.reset(seed=0)
    states = [info["visual_state"]]
    for _ in range(40):
        observation, *_, info = env.step(expert.act(observation))
        states.append(info["visual_state"])
    looks = env.sample_looks(BATCH, seed=0)
    chosen = np.array(states)[np.arange(BATCH) % len(states)]
    some = 16 if renderer == "tiny" else BATCH
    return lambda: len(env.render_states(chosen[:some], looks=looks[:some]))


# --- the peers' environment -------------------------------------------------------------------------------------------


def _cache() -> Path:
    return Path(os.environ.get("ROBOSSL_CACHE") or Path.home() / ".cache/robossl")


def _peers_python(path: Path) -> Path | None:
    """Build the environment if the peers are not in it, and return its Python; None where that fails."""
    python = path.resolve() / "bin/python"
    probe = [str(python), "-c", "import panda_gym, gymnasium_robotics"]
    if python.exists() and not subprocess.run(probe, capture_output=True, check=False).returncode:
        return python
    print(f"installing {', '.join(PEERS)} into {path}; this takes some minutes", file=sys.stderr)
    try:
        venv.create(path, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"the peers can't be installed: {error}", file=sys.stderr)
        return None
    return python


if __name__ == "__main__":
    sys.exit(main())
