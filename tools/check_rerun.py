"""Check in rerun itself that it reads a data set and finds the numbers, tasks and frames that robossl reads.

    python tools/check_rerun.py DATASET --venv DIR [--num-episodes 0]

rerun's reader of LeRobotDataset v3 directories is newer than the rerun-sdk that lerobot 0.4.4 pins, so it lives in a
virtual environment of its own, which is built at the first call. It does not load features of type bool, as it says
itself, so they are left out. Exit code 0: every row and frame agrees.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import av
import numpy as np

REQUIREMENT = "rerun-sdk==0.41.0"
MAX_MEAN_DIFFERENCE = 1.0  # grey levels, between two decoders' colour conversions; another frame differs by more

READ = """
import json, sys
import numpy as np
import rerun as rr
root, episodes, folder = sys.argv[1:]
reader = rr.experimental.LeRobotReader(root)
names = list(reader.episodes())
for episode in names[: int(episodes) or None]:
    arrays, samples, tasks = {}, {}, []
    for chunk in reader.stream(episode).to_chunks():
        batch, key = chunk.to_record_batch(), chunk.entity_path.lstrip("/")
        columns = {name: batch.column(place) for place, name in enumerate(batch.schema.names)}
        if "Scalars:scalars" in columns:
            order = np.argsort(columns["frame_index"].to_numpy(), kind="stable")
            arrays[key] = np.array(columns["Scalars:scalars"].to_pylist())[order]
        elif "TextDocument:text" in columns:
            tasks += [text for (text,) in columns["TextDocument:text"].to_pylist()]
        elif "VideoStream:sample" in columns:
            numbers, found = columns["frame_index"].to_pylist(), columns["VideoStream:sample"].to_pylist()
            samples.setdefault(key, []).extend((n, bytes(one[0])) for n, one in zip(numbers, found))
    np.savez(f"{folder}/{episode}.npz", **arrays)
    for key, found in samples.items():
        with open(f"{folder}/{episode}.{key}.samples", "wb") as file:
            for number, sample in sorted(found):
                file.write(len(sample).to_bytes(4, "big") + sample)
    json.dump({"tasks": tasks, "cameras": sorted(samples)}, open(f"{folder}/{episode}.json", "w"))
json.dump({"version": rr.__version__, "episodes": names}, open(f"{folder}/all.json", "w"))
"""


def main() -> int:
    """Compare and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--venv", type=Path, required=True, help="where rerun's environment is or will be")
    parser.add_argument("--num-episodes", type=int, default=0, help="from the first on; 0 = all")
    arguments = parser.parse_args()
    python = arguments.venv.resolve() / "bin/python"
    if not python.exists():
        venv.create(arguments.venv, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", REQUIREMENT], check=True)
    with tempfile.TemporaryDirectory() as folder:
        words = [str(python), "-c", READ, str(arguments.dataset.resolve()), str(arguments.num_episodes), folder]
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
        problems, line = compare(arguments.dataset.resolve(), Path(folder))
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    print(f"{'FAILED' if problems else 'OK'}: {line}, {len(problems)} differences")
    return 1 if problems else 0


def compare(dataset: Path, folder: Path) -> tuple[list[str], str]:
    """Return every difference in words, and the counts as a line."""
    from robossl.data.sources import LeRobotSource

    source = LeRobotSource(dataset)
    kinds = {key: source.directory.info["features"][key]["dtype"] for key in source.features}
    numbers = [key for key in source.features if kinds[key] != "bool"]
    summary = json.loads((folder / "all.json").read_text(encoding="utf-8"))
    problems = []
    if summary["episodes"] != list(range(len(source.lengths))):
        problems.append(f"rerun lists the episodes {summary['episodes']}")
    read = sorted(int(path.stem) for path in folder.glob("*.npz"))
    rows = frames = 0
    for episode in read:
        every = np.arange(source.lengths[episode])
        arrays = dict(np.load(folder / f"{episode}.npz"))
        found = json.loads((folder / f"{episode}.json").read_text(encoding="utf-8"))
        if found["tasks"] != [source.episode_metadata(episode)["task"]] * len(every):
            problems.append(f"episode {episode}: rerun has other tasks")
        for key in numbers:
            if not np.array_equal(arrays.get(key), source.values(episode, every, key)):
                problems.append(f"episode {episode}: {key} differs")
        rows += len(every)
        for camera in source.cameras:
            path = folder / f"{episode}.{source.directory.camera_key(camera)}.samples"
            theirs = decoded(path, source.directory.info["features"][source.directory.camera_key(camera)])
            ours = source.frames(episode, every, camera).astype(np.int16)
            frames += len(ours)
            if theirs.shape != ours.shape:
                problems.append(f"episode {episode}, {camera}: rerun has frames {theirs.shape}, not {ours.shape}")
            elif (worst := np.abs(theirs - ours).mean(axis=(1, 2, 3)).max()) > MAX_MEAN_DIFFERENCE:
                problems.append(f"episode {episode}, {camera}: frames differ by {worst:.2f} grey levels")
    return problems, (
        f"{len(read)} of {len(source.lengths)} episodes, {rows} rows of {len(numbers)} columns and their tasks, "
        f"{frames} frames of {len(source.cameras)} cameras, with rerun-sdk {summary['version']}"
    )


def decoded(path: Path, feature: dict) -> np.ndarray:
    """Decode the samples that rerun holds of a camera, [L, 3, H, W]."""
    info = feature.get("info") or feature.get("video_info") or {}
    codec = av.CodecContext.create(
        {"av1": "libdav1d", "libsvtav1": "libdav1d"}.get(info.get("video.codec"), "h264"), "r"
    )
    content, images, place = path.read_bytes(), [], 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        images += codec.decode(av.Packet(content[place + 4 : place + 4 + size]))
        place += 4 + size
    images += codec.decode(None)
    return np.stack([image.to_ndarray(format="rgb24").transpose(2, 0, 1) for image in images]).astype(np.int16)


if __name__ == "__main__":
    sys.exit(main())
