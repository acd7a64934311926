"""Check in lerobot itself that it loads a data set and returns the frames that robossl returns.

    python tools/check_lerobot.py DATASET --venv DIR [--rewritten NEW [--codec libsvtav1]]

With `--rewritten` lerobot first writes the data set anew into NEW, encoding its videos again, and NEW is checked.
lerobot 0.4.4 pins an older torch than robossl uses, so it lives in a virtual environment of its own, which is built at
the first call (some minutes). Exit code 0: every compared frame and row agrees.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

REQUIREMENT = "lerobot==0.4.4"  # the last one on Python 3.11
MAX_DIFFERENCE = 2  # grey levels: lerobot turns frames into floats and back

LOAD = """
import json, sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
root, indices_path, output = sys.argv[1:]
dataset = LeRobotDataset("local/check", root=root, video_backend="pyav")
indices = json.load(open(indices_path))
items = [dataset[i] for i in indices]
arrays = {}
for key, feature in dataset.meta.features.items():
    values = np.stack([item[key].numpy() for item in items])
    arrays[key] = np.round(values * 255).astype(np.uint8) if feature["dtype"] == "video" else values
tasks = [item["task"] for item in items]
np.savez(output, **arrays)
summary = {"frames": dataset.num_frames, "episodes": dataset.num_episodes, "tasks": tasks}
json.dump(summary, open(output + ".json", "w"))
"""

REWRITE = """
import sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
root, new, codec = sys.argv[1:]
old = LeRobotDataset("local/check", root=root, video_backend="pyav")
own = ("timestamp", "frame_index", "episode_index", "index", "task_index")
features = {key: feature for key, feature in old.meta.features.items() if key not in own}
dataset = LeRobotDataset.create("local/new", fps=old.fps, features=features, root=new, vcodec=codec)
for index in range(old.num_frames):
    item = old[index]
    frame = {"task": item["task"]}
    for key, feature in features.items():
        values = item[key].numpy()
        is_video = feature["dtype"] == "video"
        frame[key] = np.round(values * 255).astype(np.uint8).transpose(1, 2, 0) if is_video else values.reshape(-1)
    dataset.add_frame(frame)
    if index + 1 == old.num_frames or int(old[index + 1]["episode_index"]) != int(item["episode_index"]):
        dataset.save_episode()
dataset.finalize()
"""


def main() -> int:
    """Compare and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--venv", type=Path, required=True, help="where lerobot's environment is or will be")
    parser.add_argument(
        "--num-frames", type=int, default=200, help="frames to compare, spread over the data set; 0 = all"
    )
    parser.add_argument(
        "--rewritten", type=Path, help="a new directory for lerobot's own copy, which is checked instead"
    )
    parser.add_argument("--codec", default="libsvtav1", help="of the copy: libsvtav1, h264 or hevc")
    arguments = parser.parse_args()
    python, dataset = ensure_venv(arguments.venv), arguments.dataset.resolve()
    if arguments.rewritten:
        words = [str(python), "-c", REWRITE, str(dataset), str(arguments.rewritten.resolve()), arguments.codec]
        subprocess.run(words, check=True)
        dataset = arguments.rewritten.resolve()
    problems, line = compare(dataset, python, num_frames=arguments.num_frames)
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    print(f"{'FAILED' if problems else 'OK'}: {line}, {len(problems)} differences")
    return 1 if problems else 0


def ensure_venv(path: Path) -> Path:
    """Build the environment if lerobot is not in it, and return its Python."""
    python = path.resolve() / "bin/python"
    if not python.exists():
        venv.create(path, with_pip=True)
    probe = [str(python), "-c", "import importlib.metadata as m; assert m.version('lerobot') == '0.4.4'"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        print(f"installing {REQUIREMENT} into {path}; this takes some minutes", file=sys.stderr)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", REQUIREMENT], check=True)
    return python


def compare(dataset: Path, python: Path, *, num_frames: int) -> tuple[list[str], str]:
    """Return every difference in words, and the counts as a line."""
    from robossl.data.sources import LeRobotSource

    source = LeRobotSource(dataset)
    total = int(source.lengths.sum())
    count = total if num_frames == 0 else min(num_frames, total)
    indices = np.unique(np.linspace(0, total - 1, count).round().astype(int)).tolist()
    ends = np.cumsum(source.lengths)
    with tempfile.TemporaryDirectory() as folder:
        wanted, output = Path(folder) / "indices.json", Path(folder) / "items.npz"
        wanted.write_text(json.dumps(indices), encoding="utf-8")
        subprocess.run([str(python), "-c", LOAD, str(dataset), str(wanted), str(output)], check=True)
        items, summary = dict(np.load(output)), json.loads(Path(f"{output}.json").read_text(encoding="utf-8"))
    problems = []
    if (summary["episodes"], summary["frames"]) != (len(source.lengths), total):
        problems.append(f"lerobot counts {summary['episodes']} episodes and {summary['frames']} frames")
    compared = 0
    for position, index in enumerate(indices):
        episode = int(np.searchsorted(ends, index, side="right"))
        row = index - int(ends[episode] - source.lengths[episode])
        where = f"index {index} (episode {episode}, frame {row})"
        if int(items["episode_index"][position]) != episode or int(items["frame_index"][position]) != row:
            problems.append(f"{where}: lerobot has another place for it")
        if summary["tasks"][position] != source.episode_metadata(episode)["task"]:
            problems.append(f"{where}: lerobot has the task {summary['tasks'][position]!r}")
        for camera in source.cameras:
            ours = source.frames(episode, [row], camera)[0].astype(np.int16)
            theirs = items[f"observation.images.{camera}"][position]
            difference = int(np.abs(ours - theirs).max())
            compared += 1
            if difference > MAX_DIFFERENCE:
                problems.append(f"{where}, camera {camera}: pixels differ by up to {difference}")
        for key in source.features:
            if not np.array_equal(source.values(episode, [row], key)[0], items[key][position].reshape(-1)):
                problems.append(f"{where}: {key} differs")
    return problems, (
        f"{len(source.lengths)} episodes, {total} rows; compared {len(indices)} rows of {len(source.features)} columns "
        f"and {compared} frames of {len(source.cameras)} cameras with lerobot 0.4.4"
    )


if __name__ == "__main__":
    sys.exit(main())
