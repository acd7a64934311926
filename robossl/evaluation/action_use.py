"""Whether a predictor listens to actions: how much worse it gets when it is told those of another clip."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from robossl.errors import RobosslError
from robossl.evaluation.episode_bootstrap import bootstrap_over_episodes
from robossl.evaluation.intervals import Estimate
from robossl.evaluation.probe_heads import ProbeHead

Predict = Callable[[Float[np.ndarray, "n kA"]], Float[np.ndarray, "n P"]]
"""Actions of n clips to the features predicted at their ends."""


@dataclass(frozen=True, kw_only=True)
class ActionUse:
    """Mean errors of what a probe reads, in the unit of the truth: Euclidean over the columns of one quantity."""

    n: int
    """Clips."""
    told: Estimate
    """Of predicted features, with the clip's own actions."""
    shuffled: Estimate
    """With those of a clip of another episode."""
    ratio: Estimate
    """`shuffled` / `told`: 1 where actions are not listened to."""
    seen: Estimate
    """Of the features of the frame that came: no prediction is read better by this probe."""
    still: Estimate
    """Of the features of the frame that the prediction starts from."""


def action_use(
    predict: Predict,
    probe: ProbeHead,
    *,
    start: Float[np.ndarray, "n P"],
    end: Float[np.ndarray, "n P"],
    actions: Float[np.ndarray, "n kA"],
    truth: Float[np.ndarray, "n Y"],
    episode: Int64[np.ndarray, " n"],
    targets: Mapping[str, slice],
    seed: int = 0,
) -> dict[str, ActionUse]:
    """Return, for each quantity, what shuffling the actions between clips does to the prediction.

    Args:
        predict: predicts the features at the end of all clips from the actions it is given.
        probe: reads the truth out of features; fitted on true features of other episodes.
        start, end: true features at both ends of each clip.
        actions: between them, joined.
        truth: at the end of each clip.
        episode: that each clip is of.
        targets: name to columns of the truth.
        seed: of the shuffling and of the bootstrap over episodes.

    Raises:
        RobosslError: one episode has more than half of the clips, so that not all can get actions of another one.
    """
    others = actions[other_episodes(episode, seed=seed)]
    read = [probe.predict(some) for some in (predict(actions), predict(others), end, start)]
    found = {}
    for name, columns in targets.items():
        errors = np.stack([np.linalg.norm((one - truth)[:, columns], axis=1) for one in read], axis=1)  # [n,4]
        told, shuffled, seen, still = (
            bootstrap_over_episodes(column, episode, lambda values: float(values.mean()), seed=seed)
            for column in errors.T
        )
        ratio = bootstrap_over_episodes(
            errors[:, :2], episode, lambda rows: float(rows[:, 1].mean() / rows[:, 0].mean()), seed=seed
        )
        found[name] = ActionUse(n=len(truth), told=told, shuffled=shuffled, ratio=ratio, seen=seen, still=still)
    return found


def other_episodes(episode: Int64[np.ndarray, " n"], *, seed: int) -> Int64[np.ndarray, " n"]:
    """Return a permutation that gives every clip one of another episode.

    Raises:
        RobosslError: one episode has more than half of the clips.
    """
    _, inverse, counts = np.unique(episode, return_inverse=True, return_counts=True)
    if 2 * counts.max(initial=0) > len(episode):
        raise RobosslError("actions can't be shuffled between episodes: one has more than half of the clips")
    generator = np.random.default_rng(seed)
    # episodes in a random order, clips in a random order in each; then on by as many as the largest episode has
    order = np.lexsort((generator.random(len(episode)), generator.permutation(len(counts))[inverse]))
    partner = np.empty_like(order)
    partner[order] = np.roll(order, -int(counts.max()))
    return partner
