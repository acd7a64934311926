"""Contrast along time, as loops."""

import math

import numpy as np
import torch
from slow import Frames, cosine, distance, far, mean, slow, softmax_loss


@slow("r3m")
def r3m(objective, frames: Frames) -> float:
    z = {key: frames.vector(*key) for key in [(c, "ordered", p) for c in frames.clips() for p in range(3)]}
    whole = [c for c in frames.clips() if all(frames.valid(c, "ordered", p) for p in range(3))]
    losses, sizes = [], []
    for c in whole:
        terms = []
        for anchor, end in ((2, 0), (0, 2)):
            here = z[c, "ordered", anchor]
            wrong = [-distance(here, z[c, "ordered", end])]
            for other in whole:
                if frames.batch.episode_id[other] != frames.batch.episode_id[c]:
                    wrong.append(-distance(here, z[other, "ordered", anchor]))
            terms.append(softmax_loss(-distance(here, z[c, "ordered", 1]), wrong))
        losses.append(mean(terms))
    for (c, _, p), row in z.items():
        if frames.valid(c, "ordered", p):
            sizes.append(float(np.abs(row).sum()) + math.sqrt(float(row @ row)))
    return mean(losses) + objective.length_weight * mean(sizes)


@slow("tcn_triplet")
def tcn_triplet(objective, frames: Frames) -> float:
    losses = []
    for c, p in frames.all("anchor"):
        if all(frames.valid(c, group, p) for group in ("anchor", "positive", "negative")):
            a, b, n = (scaled(objective, frames, c, group, p) for group in ("anchor", "positive", "negative"))
            losses.append(max(0.0, 2.0 + distance(a, b) ** 2 - distance(a, n) ** 2))
    return mean(losses)


def scaled(objective, frames: Frames, clip: int, group: str, place: int, view: int = 0) -> np.ndarray:
    row = frames.vector(clip, group, place, objective.projector.layers, view=view)
    return 10 * row / math.sqrt(float(row @ row))


@slow("multi_view_tcn")
def multi_view_tcn(objective, frames: Frames) -> float:
    losses = []
    for view in (0, 1):
        for c, p in frames.all("anchor"):
            if frames.valid(c, "anchor", p) and frames.valid(c, "negative", p):
                a = scaled(objective, frames, c, "anchor", p, view)
                b = scaled(objective, frames, c, "anchor", p, 1 - view)
                n = scaled(objective, frames, c, "negative", p, view)
                losses.append(max(0.0, 2.0 + distance(a, b) ** 2 - distance(a, n) ** 2))
    return mean(losses)


def pairs_loss(frames: Frames, pairs: list, query, key, place, margin_s: float) -> float:
    """Softmax over dot products of each query with the keys of all pairs that are far from its own."""
    losses = []
    for i in pairs:
        wrong = [float(query(i) @ key(j)) for j in pairs if far(place(i), place(j), margin_s)]
        losses.append(softmax_loss(float(query(i) @ key(i)), wrong))
    return mean(losses)


@slow("tcn_n_pairs")
def tcn_n_pairs(objective, frames: Frames) -> float:
    pairs = [(c, p) for c, p in frames.all("anchor") if frames.valid(c, "anchor", p) and frames.valid(c, "positive", p)]
    a = {(c, p): frames.vector(c, "anchor", p, objective.projector) for c, p in pairs}
    b = {(c, p): frames.vector(c, "positive", p, objective.projector) for c, p in pairs}
    loss = pairs_loss(
        frames, pairs, a.__getitem__, b.__getitem__, lambda i: frames.place(i[0], "positive", i[1]), margin_s=0.5
    )
    return loss + 0.25 * 0.002 * (mean([float(a[i] @ a[i]) for i in pairs]) + mean([float(b[i] @ b[i]) for i in pairs]))


@slow("cycle_consistency")
def cycle_consistency(objective, frames: Frames) -> float:
    num, errors = frames.size("anchor"), []
    z = {(c, p): frames.vector(c, "anchor", p, objective.projector) for c, p in frames.all("anchor")}

    def weights(row: np.ndarray, clip: int) -> list[float]:
        raw = [
            math.exp(-(distance(row, z[clip, k]) ** 2) / (len(row) * 0.1)) * frames.valid(clip, "anchor", k)
            for k in range(num)
        ]
        return [value / sum(raw) for value in raw]

    for c, p in frames.all("anchor"):
        if not frames.valid(c, "anchor", p):
            continue
        other = (c + 1) % len(frames.batch.pixels)
        neighbour = sum(w * z[other, k] for k, w in enumerate(weights(z[c, p], other)))
        beta = weights(neighbour, c)
        mu = sum(b * k / num for k, b in enumerate(beta))
        s2 = max(1e-6, sum(b * (k / num - mu) ** 2 for k, b in enumerate(beta)))
        errors.append((p / num - mu) ** 2 / s2 + 0.001 * math.log(s2))
    return mean(errors)


@slow("implicit_value")
def implicit_value(objective, frames: Frames) -> float:
    starts, surprises = [], []
    for c in frames.clips():
        if not all(frames.valid(c, "way", p) for p in range(4)):
            continue
        o0, ok, ok1, goal = (frames.vector(c, "way", p) for p in range(4))
        starts.append(distance(o0, goal))
        surprises.append(-(-1 + 0.98 * -distance(ok1, goal) + distance(ok, goal)))
    return 0.02 * mean(starts) + math.log(mean([math.exp(value) for value in surprises]))


@slow("predictive_coding")
def predictive_coding(objective, frames: Frames) -> float:
    num, losses = frames.size("row"), []
    z = {(c, p): frames.vector(c, "row", p, objective.projector) for c, p in frames.all("row")}
    summary = {}
    with torch.no_grad():
        for c, p in z:
            so_far = torch.from_numpy(np.stack([z[c, k] for k in range(p + 1)]))  # nothing later is shown to it
            summary[c, p] = objective.summary(so_far[None])[0][0, -1]
        for ahead in (1, 2):
            pairs = [
                (c, p)
                for c, p in z
                if p + ahead < num and frames.valid(c, "row", p) and frames.valid(c, "row", p + ahead)
            ]
            told = {i: objective.heads[ahead - 1](summary[i]).numpy() for i in pairs}
            losses.append(
                pairs_loss(
                    frames,
                    pairs,
                    told.__getitem__,
                    lambda i, ahead=ahead: z[i[0], i[1] + ahead],
                    lambda i, ahead=ahead: frames.place(i[0], "row", i[1] + ahead),
                    margin_s=0.1,
                )
            )
    return mean(losses)


@slow("augmented_time_contrast")
def augmented_time_contrast(objective, frames: Frames) -> float:
    pairs = [(c, 0) for c in frames.clips() if frames.valid(c, "positive", 0)]

    def query(i) -> np.ndarray:
        with torch.no_grad():
            a = torch.from_numpy(frames.vector(i[0], "context", 0, objective.projector))
            return objective.bilinear(a + objective.residual(a)).numpy()

    def key(i) -> np.ndarray:
        return frames.seen_by(objective.keys.copy.module, i[0], "positive", 0)

    return pairs_loss(frames, pairs, query, key, lambda i: frames.place(i[0], "positive", 0), margin_s=0.1)


@slow("curl")
def curl(objective, frames: Frames) -> float:
    pairs = [(c, p) for c, p in frames.all("anchor") if frames.valid(c, "anchor", p)]
    return pairs_loss(
        frames,
        pairs,
        lambda i: frames.vector(i[0], "anchor", i[1], objective.projector, objective.bilinear),
        lambda i: frames.seen_by(objective.keys.copy.module, i[0], "again", i[1]),
        lambda i: frames.place(i[0], "anchor", i[1]),
        margin_s=0.1,
    )


@slow("self_prediction")
def self_prediction(objective, frames: Frames) -> float:
    losses = []
    for c in frames.clips():
        z = torch.from_numpy(frames.vector(c, "context", 0))
        for k in range(frames.size("future")):
            z = step(objective, frames, z, c, k)
            if frames.valid(c, "future", k):
                with torch.no_grad():
                    told = objective.predictor(objective.projector(z[None]))[0].numpy()
                losses.append(-cosine(told, frames.seen_by(objective.keys.copy.module, c, "future", k)))
    return mean(losses)


@torch.no_grad()
def step(objective, frames: Frames, z: torch.Tensor, clip: int, k: int) -> torch.Tensor:
    """One latent step with the one action of step k from the context frame on."""
    action = objective.actions.layers[0](scaled_action(frames, clip, k))
    return z + objective.dynamics.layers(torch.cat([z, action]))


def scaled_action(frames: Frames, clip: int, k: int) -> torch.Tensor:
    """The k-th action from the last context frame on, at mean 0 and deviation 1 as the statistics say."""
    batch = frames.batch
    raw = batch.actions[clip, batch.groups["context"]][-1, 2 * k : 2 * k + 2].double()
    mean_, std = (torch.tensor(values, dtype=torch.float32).double() for values in ([0.1, -0.2], [0.5, 0.6]))
    return (raw - mean_) / std
