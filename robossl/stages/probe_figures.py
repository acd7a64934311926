"""Pictures of what features hold to be alike: nearest neighbours, and distances along an episode."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imsave

from robossl.evaluation.neighbours import nearest_in_other_episodes, neighbour_strip
from robossl.stages.probe_frames import Sampled

NEIGHBOURS = 5
MAX_CURVES = 4


def draw_neighbours(sampled: Sampled, features: np.ndarray, *, count: int, encoder: str, folder: Path) -> None:
    """Draw frames beside the most alike ones of other episodes; nothing if there is but one episode."""
    if len(np.unique(sampled.episode)) < 2:
        return
    queries = np.linspace(0, len(features) - 1, count + 2).astype(np.int64)[1:-1]
    neighbours = nearest_in_other_episodes(features, sampled.episode, queries, k=NEIGHBOURS)
    folder.mkdir(parents=True, exist_ok=True)
    imsave(folder / "neighbours.png", neighbour_strip(sampled.frames, queries, neighbours))
    (folder / "neighbours.txt").write_text(
        "Nearest neighbours: left a held-out frame, then the most alike frames of other episodes, nearest first "
        f"(cosine of the features of {encoder}).\n"
    )


def draw_distances(sampled: Sampled, features: np.ndarray, *, encoder: str, folder: Path) -> None:
    """Draw how far each frame is from the last one of its episode, in features and, pale, in pixels."""
    episodes = np.unique(sampled.episode)[:MAX_CURVES]
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    axis = figure.subplots()
    for number, episode in enumerate(episodes):
        rows = sampled.episode == episode
        progress = sampled.progress[rows, 0]
        axis.plot(progress, _to_the_end(features[rows]), color=f"C{number}")
        axis.plot(progress, _to_the_end(sampled.pixels()[rows]), color=f"C{number}", alpha=0.35, linestyle="--")
    axis.set(xlabel="part of the episode that is over", ylabel="distance to its last frame", ylim=(0, None))
    axis.spines[["top", "right"]].set_visible(False)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "distances.png", dpi=140)
    (folder / "distances.txt").write_text(
        f"Distance to the last frame of the episode, {len(episodes)} held-out episodes, each curve by its largest "
        f"value: features of {encoder} (solid), pixels (dashed). What tells progress falls steadily.\n"
    )


def _to_the_end(rows: np.ndarray) -> np.ndarray:
    distances = np.linalg.norm(rows - rows[-1], axis=1)
    return distances / max(float(distances.max()), 1e-12)
