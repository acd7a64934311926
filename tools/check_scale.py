"""Measure how a data set of many episodes opens and is read, beside one of few.

    python tools/check_scale.py [--episodes 10000] [--folder DIR]

The episodes are generated: 20 frames of 32 px at 10 Hz each. For both sets a fresh process opens the set and reads
random clips of four frames; printed are the time to open, memory after opening and after reading, and the time of a
clip once every file was met.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from robossl.data.lerobot import EpisodeWriter

FEW, FRAMES, SIZE_PX, FPS_HZ = 100, 20, 32, 10
CLIPS = 1000
MEASURE = """
import json, sys, time
import numpy as np
from robossl.data.sources import LeRobotSource
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
before, start = resident(), time.perf_counter()
source = LeRobotSource(sys.argv[1])
source.lengths
opened_s, opened_mb = time.perf_counter() - start, resident() - before
rng, clips = np.random.default_rng(0), int(sys.argv[2])
def read(count):
    start = time.perf_counter()
    for episode in rng.integers(len(source.lengths), size=count):
        first = int(rng.integers(source.lengths[episode] - 4))
        source.frames(int(episode), range(first, first + 4), "front")
        source.values(int(episode), range(first, first + 4), "action")
    return (time.perf_counter() - start) / count
read(clips)  # meets the files
warm_mb = resident() - before
clip_s = read(clips)
print(json.dumps({"episodes": len(source.lengths), "open_s": opened_s, "open_mb": opened_mb, "read_mb": warm_mb,
                  "again_mb": resident() - before, "clip_ms": 1000 * clip_s}))
"""


def main() -> None:
    """Generate and measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where the sets are or will be; by default a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="check-scale-") as temporary:
        os.environ.setdefault("ROBOSSL_CACHE", temporary + "/cache")
        for count in (FEW, options.episodes):
            root = (options.folder or Path(temporary)) / f"{count}"
            generate(root, count)
            command = [sys.executable, "-c", MEASURE, str(root), str(CLIPS)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(", ".join(f"{name} {value:,.4g}" for name, value in found.items()), flush=True)


def generate(root: Path, count: int) -> None:
    """Write the episodes that are missing."""
    rng = np.random.default_rng(0)
    background = rng.integers(0, 255, (SIZE_PX, 2 * SIZE_PX, 3), dtype=np.uint8)
    with EpisodeWriter(root, fps_hz=FPS_HZ) as writer:
        for number in range(writer.num_episodes, count):
            frames = [background[:, (number + k) % SIZE_PX :][:, :SIZE_PX] for k in range(FRAMES)]
            writer.append_rows(
                frames={"front": frames},
                sizes={"front": (SIZE_PX, SIZE_PX)},
                columns={"action": rng.normal(size=(FRAMES, 4)).astype(np.float32)},
                task=f"task {number % 7}",
                extras={"seed": number},
            )


if __name__ == "__main__":
    main()
