"""Evaluation episodes that are kept one by one, to be laid side by side and to see how they failed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.image import imsave

from robossl.evaluation.videos import EMPTY
from robossl.runs.files import write_json
from robossl.runs.video_file import write_mp4
from robossl.types import Episode

FOLDER = "kept"
"""In a run directory."""
_INDEX = "episodes.json"
_GAP_PX = 2


@dataclass(frozen=True, kw_only=True)
class KeptEpisode:
    """What is known of an episode, and the files that show it."""

    domain: str
    seed: int
    success: bool
    steps: int
    ended: str
    """In words: solved, out of time or ended early."""
    last_reward: float
    """For arms and with dense reward minus the distance to the goal [m]."""
    best_reward: float
    video: str = ""
    """Name of its file; empty: none."""
    strip: str = ""
    """Name of the picture of its first, middle and last frame, left to right; empty: none."""


def keep_episodes(run_dir: Path, episodes: Sequence[Episode], *, num: int) -> None:
    """Write videos of the first episodes and strips of failed ones, and the index of both.

    Args:
        run_dir: Run directory.
        episodes: Of all domains, in the order of their seeds; pixels of at least one camera, the first is shown.
        num: Episodes of each domain that become a video, the first ones whatever their outcome, so that other policies
            and domains have the same; and failed ones that become a strip.
    """
    folder = run_dir / FOLDER
    folder.mkdir(exist_ok=True)
    found = []
    for domain in dict.fromkeys(episode.domain for episode in episodes):
        there = [episode for episode in episodes if episode.domain == domain]
        filmed = [episode.seed for episode in there[:num]]
        failed = [episode.seed for episode in there if not episode.success][:num]
        for episode in there:
            if episode.seed in filmed or episode.seed in failed:
                kept = _keep(folder, episode, filmed=episode.seed in filmed, failed=episode.seed in failed)
                found.append(kept)
    write_json(folder / _INDEX, [asdict(one) for one in found])


def read_kept(run_dir: Path) -> list[KeptEpisode]:
    """Return the episodes that a run has kept, or none."""
    path = run_dir / FOLDER / _INDEX
    return [KeptEpisode(**one) for one in json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []


def _keep(folder: Path, episode: Episode, *, filmed: bool, failed: bool) -> KeptEpisode:
    name, frames = f"{episode.domain}-{episode.seed}", next(iter(episode.pixels.values()))
    if filmed:
        write_mp4(folder / f"{name}.mp4", frames, fps_hz=episode.fps_hz)
    if failed:
        imsave(folder / f"{name}.png", _strip(frames))
    return KeptEpisode(
        domain=episode.domain,
        seed=episode.seed,
        success=episode.success,
        steps=len(episode),
        ended="solved" if episode.success else "out of time" if episode.truncated else "ended early",
        last_reward=round(float(episode.rewards[-1]), 3),
        best_reward=round(float(episode.rewards.max()), 3),
        video=f"{name}.mp4" if filmed else "",
        strip=f"{name}.png" if failed else "",
    )


def _strip(frames: UInt8[np.ndarray, "T H W 3"]) -> UInt8[np.ndarray, "H w 3"]:
    gap = np.full((frames.shape[1], _GAP_PX, 3), EMPTY, np.uint8)
    first, middle, last = frames[[0, len(frames) // 2, -1]]
    return np.concatenate([first, gap, middle, gap, last], axis=1)
