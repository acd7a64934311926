"""How well future frames are predicted on episodes that were not trained on, beside copying the last frame."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robossl.data.clip_specs import Ahead, Context
from robossl.evaluation.frame_gain import frame_gain
from robossl.evaluation.frame_similarity import MIN_SIZE_PX, ssim
from robossl.evaluation.perceptual import Lpips
from robossl.objectives import FutureFrames, RobotTrack
from robossl.stages.pretrain_sources import ACTION_KEY, STATE_KEY, TrainingSource

EXAMPLES = 6
"""Clips that are kept for the report."""
STARTS_PER_EPISODE = 64
PERCEIVED = ("lpips", "copy_lpips")
"""Scores that are there only where weights for them were given."""
NOTE = (
    "PSNR: mean over frames of the frame's dB, RGB in 0-1, at the training size; SSIM: window of 11 px, sigma 1.5, "
    "mean over channels; LPIPS, where weights were given: version 0.1, less is more alike; copy: the last frame seen "
    "stands for the future; pooled: dB of the mean squared error of all frames; 95: interval over episodes drawn with "
    "replacement. Each horizon, in frames of the recording, is predicted directly from the frames seen, how far ahead, "
    "and, where the data has them, the robot's state and the commands to it until then."
)


def score_future_frames(
    objective: FutureFrames, sources: Sequence[TrainingSource], *, directory: Path, lpips: Lpips | None = None
) -> dict[str, dict[str, Any]]:
    """Score each source that feeds the objective and has held-out episodes; keep examples as `<source>.npz`.

    At the training size, RGB in 0-1; each horizon is predicted directly from the context. The first view of each source
    is scored.

    Returns:
        Source name to `num_episodes`, and for each horizon [source frames] `ssim`, `copy_ssim`, `num_frames` and what
        `frame_gain` gives: PSNR in two conventions, and gains over the copy with 95 % intervals over episodes; with
        `lpips` also `lpips` and `copy_lpips`.
    """
    objective.eval()
    scores = {}
    for item in sources:
        meant_for = item.objectives is None or "future_frames" in item.objectives
        clips = [clip for episode in item.test for clip in _clips(objective, item, int(episode))] if meant_for else []
        if clips:
            scores[item.name] = _score(objective, item, clips, directory, lpips)
    return scores


def frames_table(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the scores of all sources as one table for the command line and the report."""
    rows = [
        [
            name,
            int(horizon),
            score["psnr_db"],
            score["copy_psnr_db"],
            score["gain_db"],
            _interval(score, "gain_db"),
            score["ssim"],
            score["copy_ssim"],
            score["pooled_psnr_db"],
            score["pooled_copy_psnr_db"],
            score["pooled_gain_db"],
            _interval(score, "pooled_gain_db"),
            *(score[name] for name in PERCEIVED if name in score),
            score["num_frames"],
            of_source["num_episodes"],
        ]
        for name, of_source in scores.items()
        for horizon, score in of_source["horizons"].items()
    ]
    columns = ["data", "frames_ahead", "psnr_db", "copy_psnr_db", "gain_db", "gain_95", "ssim", "copy_ssim"]
    scored = [name for of_source in scores.values() for score in of_source["horizons"].values() for name in score]
    columns += ["pooled_db", "pooled_copy_db", "pooled_gain_db", "pooled_gain_95"]
    columns += [*(name for name in PERCEIVED if name in scored), "n", "held_out_episodes"]
    return {"title": "Future frames of held-out episodes", "columns": columns, "rows": rows, "note": NOTE}


def _interval(score: Mapping[str, float], key: str) -> str:
    return f"{score[f'{key}_low']:.2f} to {score[f'{key}_high']:.2f}"


def _specs(objective: FutureFrames) -> tuple[Context, Ahead]:
    context, target = (spec for _, spec in objective.window.specs)
    if not isinstance(context, Context) or not isinstance(target, Ahead):
        raise TypeError("future_frames has a window of context and target")
    return context, target


def _clips(objective: FutureFrames, item: TrainingSource, episode: int) -> list[dict[str, np.ndarray]]:
    """Cut clips with every target inside the episode, spread evenly over it."""
    context, target = _specs(objective)
    span = (context.num - 1) * context.frame_stride
    last_start = int(item.source.lengths[episode]) - span - target.horizons[-1] - 1
    if last_start < 0:
        return []
    starts = np.unique(np.linspace(0, last_start, STARTS_PER_EPISODE).round().astype(int))
    return [_clip(item, episode, start, context, target.horizons) for start in starts.tolist()]


def _clip(
    item: TrainingSource, episode: int, start: int, context: Context, horizons: Sequence[int]
) -> dict[str, np.ndarray]:
    indices = start + np.arange(context.num) * context.frame_stride
    targets = indices[-1] + np.asarray(horizons)
    frames = item.source.frames(episode, np.concatenate([indices, targets]), item.views[0])
    clip = {"context": frames[: context.num], "truth": frames[context.num :], "episode": np.asarray(episode)}
    if item.has_actions:
        # every target lies in the episode, so all actions up to the furthest exist
        clip["actions"] = item.source.values(episode, np.arange(start, targets[-1]), ACTION_KEY)
    if item.has_states:
        clip["states"] = item.source.values(episode, indices, STATE_KEY)
    return clip


def _score(
    objective: FutureFrames,
    item: TrainingSource,
    clips: list[dict[str, np.ndarray]],
    directory: Path,
    lpips: Lpips | None,
) -> dict[str, Any]:
    horizons = _specs(objective)[1].horizons
    predicted = np.concatenate([_predict(objective, item, clips[i : i + 32]) for i in range(0, len(clips), 32)])
    truth = np.stack([clip["truth"] for clip in clips])
    last = np.stack([clip["context"][-1:] for clip in clips])
    ours, copied = _errors(predicted, truth), _errors(last, truth)  # [N,K]
    episodes = np.stack([clip["episode"] for clip in clips])
    copies = np.broadcast_to(last, truth.shape)
    alike, copy_alike = _alike(predicted, truth), _alike(copies, truth)
    distances = (
        {"lpips": _each(lpips, predicted, truth), "copy_lpips": _each(lpips, copies, truth)}
        if lpips is not None
        else {}
    )
    result = {
        "num_episodes": len(item.test),
        "horizons": {
            str(horizon): {
                **frame_gain(ours[:, k], copied[:, k], episodes),
                "ssim": float(alike[:, k].mean()),
                "copy_ssim": float(copy_alike[:, k].mean()),
                "num_frames": len(clips),
                **{name: float(distance[:, k].mean()) for name, distance in distances.items()},
            }
            for k, horizon in enumerate(horizons)
        },
    }
    chosen = np.linspace(0, len(clips) - 1, min(EXAMPLES, len(clips))).round().astype(int)
    directory.mkdir(parents=True, exist_ok=True)
    name = item.name.replace("/", "-")
    np.savez_compressed(
        directory / f"{name}.npz",
        context=np.stack([clips[i]["context"] for i in chosen]),
        truth=truth[chosen],
        predicted=predicted[chosen],
        horizons=np.asarray(horizons),
    )
    (directory / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


def _predict(objective: FutureFrames, item: TrainingSource, clips: list[dict[str, np.ndarray]]) -> np.ndarray:
    device = next(objective.parameters()).device
    horizons = torch.tensor(_specs(objective)[1].horizons, device=device)

    def stacked(key: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([clip[key] for clip in clips])).to(device)

    track = None
    if item.has_actions:
        track = RobotTrack(actions=stacked("actions"), states=stacked("states") if item.has_states else None)
    frames = objective.predict(stacked("context"), horizons.expand(len(clips), -1), track=track, source=item.name)
    return frames.cpu().numpy()


def _errors(frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
    errors = ((frames.astype(np.float32) - truth.astype(np.float32)) / 255) ** 2  # [N,K,C,H,W]
    return errors.mean(axis=(2, 3, 4))


def _alike(frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the SSIM of each frame [N,K], or NaN where frames are too small for it."""
    if min(truth.shape[-2:]) < MIN_SIZE_PX:
        return np.full(truth.shape[:2], np.nan)
    return _each(ssim, frames, truth)


def _each(measure: Callable[[np.ndarray, np.ndarray], np.ndarray], frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return a measure of pairs of frames for each one [N,K]."""
    return measure(frames.reshape(-1, *truth.shape[2:]), truth.reshape(-1, *truth.shape[2:])).reshape(truth.shape[:2])
