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
import venv
from pathlib import Path
from typing import Any

PEERS = ("panda-gym==3.0.7", "gymnasium-robotics==1.4.2", "mujoco==3.3.7")
"""gymnasium-robotics 1.4.2 does not run on newer MuJoCo."""
WORKER = Path(__file__).with_name("bench_rollouts_worker.py")
EPISODE_STEPS = 50
ROWS = (
    # name, what is counted, worker, its argument, processes
    ("panda-gym PandaPush-v3, 64 px", "steps", "panda_gym", "", 1),
    ("gymnasium-robotics FetchPush-v4, 64 px, EGL", "steps", "fetch", "", 1),
    ("robossl PandaPush-v0, 64 px, tiny", "steps", "env", "tiny", 1),
    ("robossl PandaPush-v0, 64 px, tiny, two processes", "steps", "env", "tiny", 2),
    ("robossl PandaPush-v0, 64 px, gl", "steps", "env", "gl", 1),
    ("robossl PandaPush-v0, 64 px, gl, two processes", "steps", "env", "gl", 2),
    ("robossl PandaPush-v0, 64 px, gl, 8 envs", "steps", "envs", "8", 1),
    ("robossl PandaPush-v0, 64 px, gl, 64 envs", "steps", "envs", "64", 1),
    ("robossl PandaPush-v0, 64 px, gl, 64 envs, two processes", "steps", "envs", "32", 2),
    ("rerender stored states, 64 px, tiny", "views", "rerender", "tiny 64", 1),
    ("rerender stored states, 64 px, gl", "views", "rerender", "gl 64", 1),
    ("rerender stored states, 64 px, gl, two processes", "views", "rerender", "gl 64", 2),
    ("rerender stored states, 128 px, gl", "views", "rerender", "gl 128", 1),
    ("rerender stored states, 128 px, gl, two processes", "views", "rerender", "gl 128", 2),
)
COLLECTS = ("tiny", "gl")
TRAIN_STEPS = 30


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each row in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--collect-episodes", type=int, default=60, help="of 50 steps; 0: leave robossl collect out")
    parser.add_argument("--once", action="store_true", help="also what takes minutes: 2,000 episodes, and training")
    parser.add_argument("--venv", type=Path, help="where the peers' environment is or will be")
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    peers = None if arguments.no_peers else _peers_python(arguments.venv or _cache() / "bench-peers")
    rows = measure(peers, seconds=arguments.seconds, rounds=arguments.rounds, episodes=arguments.collect_episodes)
    once = [*_long_run(), _training()] if arguments.once else []
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores while measuring"
    if arguments.json:
        print(json.dumps({"rows": rows, "once": once, "note": load}, indent=2))
    else:
        print("\n".join(_line(row) for row in rows), *once, load, sep="\n")
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
    cost = f"{min(row['cpu_ms']):8.2f} ms" if row["cpu_ms"] else " " * 11
    rates = ", ".join(f"{rate:.0f}" for rate in row["rates"])
    return f"{row['name']:<56} {row['rate']:8.0f} {row['unit']:<8}{cost} ({rates})"


def _rate(python: Path | None, worker: str, argument: str, *, processes: int, seconds: float) -> tuple[float, float]:
    """Start the workers, let them go at once when all are warm; return the sum of their rates, and CPU ms of each."""
    if python is None:
        raise RuntimeError("its environment is not there")
    command = [str(python), str(WORKER), worker, argument, str(seconds)]
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


def _long_run() -> list[str]:
    """Return what a step costs at the start and at the end of many episodes in one env, and the memory."""
    print("a long run", file=sys.stderr)
    command = [sys.executable, str(WORKER), "long", "gl"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    return [line for line in done.stdout.splitlines() if line.startswith("long run")]


def _training() -> str:
    """Return how long the default recipe waits for pictures that are drawn anew for each batch."""
    print("training on pictures that are drawn anew", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        play = [sys.executable, "-m", "robossl", "collect", "--env-id=robossl/PandaPush-v0", "--num-episodes=40"]
        subprocess.run([*play, "--max-episode-steps=30", f"--output={folder}/play"], capture_output=True, check=True)
        recipe = Path(__file__).parents[1] / "configs/pretrain/push.yaml"
        drawn = recipe.read_text().replace("runs/collect-push", f"{folder}/play\n    rerender: true")
        (Path(folder) / "drawn.yaml").write_text(drawn)
        train = [sys.executable, "-m", "robossl", "pretrain", f"{folder}/drawn.yaml", f"--num-steps={TRAIN_STEPS}"]
        done = subprocess.run(
            [*train, f"--output={folder}/run", "--json"], capture_output=True, text=True, check=True,
            env={**os.environ, "ROBOSSL_CACHE": folder},
        )  # fmt: skip
        waited = json.loads(done.stdout)["data_wait_fraction"]
    return f"pretraining on pictures drawn anew waits for them {waited:.1%} of {TRAIN_STEPS} steps"


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
