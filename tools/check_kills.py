"""Kill `robossl collect` and `robossl import` at random moments, and check what they had reported as written.

    python tools/check_kills.py [--kills 50] [--seed 0]

Each start of a command runs in a session of its own, of which all processes get SIGKILL together. A quarter of the
kills fall anywhere in the time of the command, the others within half a second after an episode was reported. After
each, every episode that was reported so far must be there, whole, and equal to that of a run that nobody disturbed:
rows and decoded frames bit for bit. A run that ends before its kill is begun anew. Exit code 0: nothing was lost.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LATE_S = 0.5
"""Longest time from a report to a kill that waits for one."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is killed."""

    words: tuple[str, ...]
    fps_hz: int
    variants: tuple[str, ...] = ()
    """Words that make no difference to the episodes; each start has one of them."""

    def start(self, root: Path, rng: np.random.Generator) -> subprocess.Popen[bytes]:
        """Start it in a session of its own; `root.reported` gets a line for each episode that was reported."""
        words = [sys.executable, __file__, "--report-to", str(reports(root)), *self.words, "--output", str(root)]
        words += [str(rng.choice(self.variants))] if self.variants else []
        return subprocess.Popen(
            words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=root.parent
        )


def reports(root: Path) -> Path:
    """Return where the episodes are booked that writing was reported of."""
    return root.with_suffix(".reported")


def reported(root: Path) -> list[int]:
    """Return the episodes that were reported; a line that a kill cut off is none."""
    path = reports(root)
    return [int(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]] if path.exists() else []


def run_reporting(log: Path, words: list[str]) -> int:
    """Run a command of robossl's that books each episode when `append_rows` returns from it."""
    from robossl.cli import main as robossl
    from robossl.data.lerobot import EpisodeWriter

    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    append = EpisodeWriter.append_rows

    def reporting(self: EpisodeWriter, **rest: Any) -> int:
        index = append(self, **rest)
        os.write(file, f"{index}\n".encode())
        return index

    EpisodeWriter.append_rows = reporting  # type: ignore[method-assign]
    return robossl(words)


def make_footage(folder: Path, *, files: int, frames: int) -> None:
    """Write videos of coloured blocks that move, each frame another one."""
    from robossl.data.video import encode_video

    folder.mkdir(parents=True)
    for number in range(files):
        rng = np.random.default_rng(number)
        images = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        shown = [np.roll(images, 2 * frame, axis=1) for frame in range(frames)]
        encode_video(folder / f"{number:02d}.mp4", shown, fps_hz=30)


def kill_once(command: Command, root: Path, rng: np.random.Generator, whole_s: float) -> bool:
    """Start the command and kill its whole session at a random moment; return whether it was still running."""
    process, before = command.start(root, rng), len(reported(root))
    if rng.random() < 0.75:
        while process.poll() is None and len(reported(root)) == before:
            time.sleep(0.002)
        wait_s = rng.uniform(0, LATE_S)
    else:
        wait_s = rng.uniform(0, whole_s)
    try:
        process.wait(timeout=float(wait_s))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def problems(command: Command, root: Path, whole: Path, known: int) -> tuple[list[str], int]:
    """Return what is wrong with the episodes from `known` on, and how many are there."""
    from robossl.data.lerobot import EpisodeWriter
    from robossl.data.sources import LeRobotSource

    told = reported(root)
    if not root.exists():
        return (["reported episodes are gone"] if told else []), 0
    copy = root.with_suffix(".copy")  # so that the killed recording stays as it is
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy)
    writer = EpisodeWriter(copy, fps_hz=command.fps_hz)
    if not writer.num_episodes:
        return (["reported episodes are gone"] if told else []), 0
    writer.finalize()
    here, there = LeRobotSource(copy), LeRobotSource(whole)
    found = [] if told == list(range(len(told))) else [f"reported {told}"]
    found += [] if len(told) <= len(here.lengths) else [f"{len(told)} reported, {len(here.lengths)} there"]
    for episode in range(known, len(here.lengths)):
        found += differences(here, there, episode)
    return found, len(here.lengths)


def differences(here: Any, there: Any, episode: int) -> list[str]:
    """Return in what an episode of two sources differs."""
    if here.lengths[episode] != there.lengths[episode]:
        return [f"episode {episode} has {here.lengths[episode]} frames, not {there.lengths[episode]}"]
    rows = np.arange(here.lengths[episode])
    found = [
        f"episode {episode}: {key} differs"
        for key in there.features
        if not np.array_equal(here.values(episode, rows, key), there.values(episode, rows, key))
    ]
    for camera in there.cameras:
        pair = (one.frames(episode, rows, camera).astype(np.int16) for one in (here, there))
        worst = np.abs(next(pair) - next(pair)).mean(axis=(1, 2, 3)).max()
        found += [f"episode {episode}, {camera}: frames differ by {worst:.2f} grey levels"] if worst else []
    return found + ([] if here.episode_metadata(episode) == there.episode_metadata(episode) else ["metadata differ"])


def prove(name: str, command: Command, folder: Path, kills: int, rng: np.random.Generator) -> list[str]:
    """Kill the command so many times, end it, and return all that was wrong."""
    whole, root = folder / f"{name}-whole", folder / name
    start_s = time.perf_counter()
    if command.start(whole, rng).wait():
        raise SystemExit(f"{name} fails even undisturbed: {' '.join(command.words)}")
    whole_s = time.perf_counter() - start_s
    found: list[str] = []
    done = checked = fresh = verified = 0
    while done < kills:
        if not kill_once(command, root, rng, whole_s):  # it ended before: once more from the start
            if not (root / "meta/info.json").exists():
                raise SystemExit(f"{name} does not go on after {done} kills; its data set is {root}")
            found += [] if done == fresh else problems(command, root, whole, 0)[0]
            fresh, checked = done, 0
            shutil.rmtree(root)
            reports(root).unlink()
            continue
        done += 1
        wrong, count = problems(command, root, whole, checked)
        verified += count - checked
        found, checked = found + [f"after kill {done}: {one}" for one in wrong], count
    if command.start(root, rng).wait():
        found.append("the last call fails")
    wrong, count = problems(command, root, whole, 0)
    found += wrong
    line = f"{done} kills, {verified} episodes verified after them, {count} in the finished set, {len(found)} problems"
    print(f"{name}: {line}, {time.perf_counter() - start_s:.0f} s", flush=True)
    return found


def main() -> int:
    """Kill both commands and print one line each."""
    if sys.argv[1:2] == ["--report-to"]:
        return run_reporting(Path(sys.argv[2]), sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="of each command")
    parser.add_argument("--commands", nargs="+", choices=("collect", "import"), default=["collect", "import"])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, found = np.random.default_rng(arguments.seed), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_footage(folder / "footage", files=24, frames=90)
        collect = ("collect", "--num_episodes=80", "--max_episode_steps=12", "--image_size=32")
        workers = ("--num_workers=1", "--num_workers=1", "--num_workers=2")
        importing = ("import", str(folder / "footage"), "--max_episode_s=0.5")
        commands = {
            "collect": Command(words=collect, fps_hz=20, variants=workers),
            "import": Command(words=importing, fps_hz=30),
        }
        for which in arguments.commands:
            found += prove(which, commands[which], folder, arguments.kills, rng)
    for problem in found[:20]:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
