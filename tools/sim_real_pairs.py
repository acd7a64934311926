"""Real clips beside their simulated twins, in the feature space of encoders.

    python tools/sim_real_pairs.py FOLDER --encoders ours=runs/pretrain/encoder mixed=runs/pretrain-mixture/encoder

FOLDER holds `<robot>_<task>_real.mp4` and `..._sim.mp4`, and where there are any, replays of a real clip's actions with
good and with bad gains, `..._replay_good_control_sim.mp4` and `..._replay_bad_control_sim.mp4`. Beside the encoders
stand fresh weights and principal components of the pixels. Writes docs/results/sim_real.md.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robossl.data.frame_cache import CachedSource
from robossl.data.video_folder import VideoFolder
from robossl.encoders import build_encoder, load_encoder
from robossl.evaluation.episode_alignment import kendall_tau
from robossl.evaluation.probe import PixelPca
from robossl.runs.files import write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.probe_frames import as_rows, encode

NUM_PLACES = 16
"""At which the distance of two clips is taken, evenly over their length."""
NUM_COMPONENTS = 64
NOTE = (
    "tau: Kendall's, of the nearest neighbours of the real clip's frames in the simulated one, each clip about "
    "its own mean, so that what is constant, such as the backdrop, does not count; 0 by chance. Distances: "
    "between frames at the same part of two clips, in the same features, over the distance of any two frames of "
    "all clips. twin among sims: the place of the twin when the simulated clips of all tasks are sorted by "
    "distance; features that tell robots apart and nothing else have it by chance among those of one robot. Single "
    "clips: no interval, and no statement about a robot."
)
SEEDS = (0, 1, 2)
"""Of fresh weights."""

Clips = dict[str, np.ndarray]
"""Name to frames or to features, [T, ...]."""


def main() -> None:
    """Read the clips, encode them, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoders", nargs="*", default=[], help="name=directory")
    parser.add_argument("--image-size", type=int, default=64, help="of the baselines [px]")
    parser.add_argument("--output", type=Path, default=Path("docs/results/sim_real.md"))
    arguments = parser.parse_args()
    _check_twins(arguments.folder)
    rows: list[list[Any]] = []
    for name, size, features_of in _kinds(arguments):
        features = {clip: features_of(frames) for clip, frames in _read(arguments.folder, size).items()}
        rows += _rows(name, _about_mean(features))
    columns = [
        "features",
        "real clip",
        "tau",
        "distance to twin",
        "twin among sims",
        "to good control",
        "to bad control",
    ]
    table = {"title": "Real clips and their simulated twins", "columns": columns, "rows": rows, "note": NOTE}
    write_text(arguments.output, f"# Real clips and simulated twins\n\n{as_markdown(table)}\n")
    print(arguments.output.read_text(encoding="utf-8"))


def _kinds(arguments: argparse.Namespace) -> list[tuple[str, tuple[int, int], Callable[[np.ndarray], np.ndarray]]]:
    """Return name, picture size and features of encoders and baselines."""
    kinds = []
    for word in arguments.encoders:
        name, _, path = word.partition("=")
        if not path:
            raise SystemExit(f"--encoders takes a name for each, and got {word}; give for example ours={word}")
        encoder = load_encoder(path).eval()
        kinds.append((name, encoder.image_size, partial(encode, encoder)))
    size = (arguments.image_size, arguments.image_size)
    for seed in SEEDS:
        torch.manual_seed(seed)
        fresh = build_encoder("conv", image_size=arguments.image_size).eval()
        kinds.append((f"fresh weights {seed}", size, partial(encode, fresh)))
    pca = PixelPca(NUM_COMPONENTS).fit(as_rows(np.concatenate(list(_read(arguments.folder, size).values()))))
    return [*kinds, (f"pca-{NUM_COMPONENTS}", size, lambda frames: pca.transform(as_rows(frames)))]


def _check_twins(folder: Path) -> None:
    """Refuse a folder where a real clip has no twin, or that holds no real clip."""
    names = {path.stem for path in folder.glob("*.mp4")}
    reals = [name for name in names if name.endswith("_real")]
    if not reals:
        raise SystemExit(f"{folder} holds no <robot>_<task>_real.mp4")
    if alone := sorted(name for name in reals if f"{name.removesuffix('_real')}_sim" not in names):
        raise SystemExit(f"{folder}: {alone[0]}.mp4 has no twin {alone[0].removesuffix('_real')}_sim.mp4")


def _read(folder: Path, size: tuple[int, int]) -> Clips:
    source = VideoFolder(folder)
    cached = CachedSource(source, size)
    return {
        Path(source.episode_key(episode)).stem: cached.frames(episode, np.arange(length), "video")
        for episode, length in enumerate(source.lengths.tolist())
    }


def _about_mean(features: Clips) -> Clips:
    """Return each clip about its own mean, all in units of the spread that is left."""
    moved = {name: rows - rows.mean(axis=0) for name, rows in features.items()}
    spread = np.concatenate(list(moved.values())).std(axis=0).mean()
    return {name: rows / max(spread, 1e-12) for name, rows in moved.items()}


def _rows(name: str, clips: Clips) -> list[list[Any]]:
    everything = np.concatenate(list(clips.values()))
    unit = float(np.sqrt(2 * np.square(everything - everything.mean(axis=0)).sum(axis=1).mean()))
    sims = [clip for clip in clips if clip.endswith("_sim") and "_replay_" not in clip]
    rows = []
    for real in sorted(clip for clip in clips if clip.endswith("_real")):
        stem = real.removesuffix("_real")
        far = {other: round(_distance(clips[real], clips[other]) / unit, 3) for other in clips if other != real}
        twin, good, bad = (f"{stem}{end}_sim" for end in ("", "_replay_good_control", "_replay_bad_control"))
        place = 1 + sorted(sims, key=far.__getitem__).index(twin)
        tau = round(kendall_tau(clips[real], clips[twin]), 3)
        row = [tau, far[twin], f"{place} of {len(sims)}", far.get(good), far.get(bad)]
        rows.append([name, stem, *("" if value is None else value for value in row)])
    return rows


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean distance of frames at the same part of two clips."""
    places = [np.linspace(0, len(clip) - 1, NUM_PLACES).round().astype(int) for clip in (first, second)]
    return float(np.linalg.norm(first[places[0]] - second[places[1]], axis=1).mean())


if __name__ == "__main__":
    main()
