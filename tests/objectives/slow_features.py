"""Joint embeddings and predictions of features, as loops."""

import itertools
import math

import numpy as np
import torch
from slow import Frames, cosine, far, mean, slow, softmax_loss
from slow_contrast import scaled_action

from robossl.objectives.parts.encoded import EncodedBatch


def both_looks(objective, frames: Frames) -> tuple[np.ndarray, np.ndarray, list]:
    """Embeddings of both looks at valid instants, and their places."""
    kept = [(c, p) for c, p in frames.all("anchor") if frames.valid(c, "anchor", p)]
    first = [frames.vector(c, "anchor", p, objective.projector) for c, p in kept]
    second = [frames.vector(c, "again", p, objective.projector) for c, p in kept]
    return np.stack(first), np.stack(second), [frames.place(c, "anchor", p) for c, p in kept]


def hinge(rows: np.ndarray) -> float:
    return mean([max(0.0, 1 - math.sqrt(column.var(ddof=1) + 1e-4)) for column in rows.T])


def correlated(rows: np.ndarray) -> float:
    num, size = rows.shape
    total = 0.0
    for i, j in itertools.permutations(range(size), 2):
        a, b = rows[:, i] - rows[:, i].mean(), rows[:, j] - rows[:, j].mean()
        total += (sum(x * y for x, y in zip(a, b, strict=True)) / (num - 1)) ** 2
    return total / size


def normality(rows: np.ndarray, num_directions: int) -> float:
    """Epps and Pulley along the directions of the first step."""
    directions = torch.randn(rows.shape[1], num_directions, generator=torch.Generator().manual_seed(0)).double().numpy()
    knots, total = [3 * k / 16 for k in range(17)], 0.0
    for direction in directions.T:
        samples = [float(row @ direction) / math.sqrt(float(direction @ direction)) for row in rows]
        values = []
        for t in knots:
            phi = complex(mean([math.cos(t * x) for x in samples]), mean([math.sin(t * x) for x in samples]))
            values.append(abs(phi - math.exp(-t * t / 2)) ** 2 * math.exp(-t * t / 2))
        area = sum((a + b) / 2 * 3 / 16 for a, b in itertools.pairwise(values))
        total += len(samples) * 2 * area  # from -3 to 3
    return total / num_directions


@slow("vicreg")
def vicreg(objective, frames: Frames) -> float:
    first, second, _ = both_looks(objective, frames)
    invariance = mean([float(np.mean((a - b) ** 2)) for a, b in zip(first, second, strict=True)])
    variance = (hinge(first) + hinge(second)) / 2
    return 25 * invariance + 25 * variance + correlated(first) + correlated(second)


@slow("gaussian_embedding")
def gaussian_embedding(objective, frames: Frames) -> float:
    first, second, _ = both_looks(objective, frames)
    distances = []
    for a, b in zip(first, second, strict=True):
        centre = (a + b) / 2
        distances += [float(np.mean((a - centre) ** 2)), float(np.mean((b - centre) ** 2))]
    return 0.95 * mean(distances) + 0.05 * (normality(first, 16) + normality(second, 16)) / 2


@slow("barlow_twins")
def barlow_twins(objective, frames: Frames) -> float:
    first, second, _ = both_looks(objective, frames)
    total = 0.0
    for i in range(first.shape[1]):
        for j in range(first.shape[1]):
            a, b = first[:, i] - first[:, i].mean(), second[:, j] - second[:, j].mean()
            c = float(np.mean(a * b)) / math.sqrt((np.mean(a**2) + 1e-5) * (np.mean(b**2) + 1e-5))
            total += (1 - c) ** 2 if i == j else 0.005 * c**2
    return total


@slow("simclr")
def simclr(objective, frames: Frames) -> float:
    first, second, places = both_looks(objective, frames)
    rows = [*first, *second]
    num, losses = len(first), []
    for i, a in enumerate(rows):
        partner = (i + num) % (2 * num)
        wrong = [cosine(a, rows[j]) / 0.1 for j in range(2 * num) if far(places[i % num], places[j % num], 0.1)]
        losses.append(softmax_loss(cosine(a, rows[partner]) / 0.1, wrong))
    return mean(losses)


@slow("byol")
@torch.no_grad()
def byol(objective, frames: Frames) -> float:
    losses = []
    for c, p in frames.all("anchor"):
        if frames.valid(c, "anchor", p):
            for one, other in (("anchor", "again"), ("again", "anchor")):
                told = frames.vector(c, one, p, objective.projector, objective.predictor)
                losses.append(2 - 2 * cosine(told, frames.seen_by(objective.keys.copy.module, c, other, p)))
    return mean(losses)


@slow("slow_features")
def slow_features(objective, frames: Frames) -> float:
    kept = [(c, p) for c, p in frames.all("anchor") if frames.valid(c, "anchor", p) and frames.valid(c, "positive", p)]
    now = np.stack([frames.vector(c, "anchor", p, objective.projector) for c, p in kept])
    near = np.stack([frames.vector(c, "positive", p, objective.projector) for c, p in kept])
    change = mean([float(np.mean((a - b) ** 2)) for a, b in zip(now, near, strict=True)])
    return change + hinge(now) + 0.04 * correlated(now)


@slow("frame_order")
@torch.no_grad()
def frame_order(objective, frames: Frames) -> float:
    losses = []
    for c in frames.clips():
        if not all(frames.valid(c, "row", p) for p in range(3)):
            continue
        z = [torch.from_numpy(frames.vector(c, "row", p)) for p in range(3)]
        cost = {True: [], False: []}
        for order in itertools.permutations(range(3)):
            right = order in ((0, 1, 2), (2, 1, 0))
            score = float(objective.judge(torch.cat([z[i] for i in order])[None]))
            cost[right].append(math.log(1 + math.exp(-score if right else score)))
        losses.append((mean(cost[True]) + mean(cost[False])) / 2)
    return mean(losses)


@slow("latent_rollout")
@torch.no_grad()
def latent_rollout(objective, frames: Frames) -> float:
    errors, starts = [], []
    for c in frames.clips():
        start = frames.vector(c, "context", 0, objective.projector)
        if frames.valid(c, "context", 0):
            starts.append(start)
        z = torch.from_numpy(start)
        for k in range(frames.size("target")):
            both = [scaled_action(frames, c, 2 * k), scaled_action(frames, c, 2 * k + 1)]
            action = objective.actions.layers[0](torch.cat(both))
            z = z + objective.dynamics.layers(torch.cat([z, action]))
            if frames.valid(c, "target", k):
                errors.append(float(np.mean((z.numpy() - frames.vector(c, "target", k, objective.projector)) ** 2)))
    return mean(errors) + 0.09 * normality(np.stack(starts), 16)


@slow("forward_dynamics")
@torch.no_grad()
def forward_dynamics(objective, frames: Frames) -> float:
    errors, starts = [], []
    for c in frames.clips():
        z = torch.from_numpy(frames.vector(c, "context", 0))
        starts.append(z.numpy())
        action = objective.actions.layers[0](torch.cat([scaled_action(frames, c, k) for k in range(3)]))
        told = (z + objective.dynamics.layers(torch.cat([z, action]))).numpy()
        if frames.valid(c, "target", 0):
            errors.append(float(np.mean((told - frames.vector(c, "target", 0)) ** 2)))
    return mean(errors) + hinge(np.stack(starts)) + 0.04 * correlated(np.stack(starts))


@slow("masked_latents")
@torch.no_grad()
def masked_latents(objective, frames: Frames) -> float:
    mask, num = masks(objective, frames), frames.size("row")
    errors = []
    for c in frames.clips():
        z = [objective.encoder(grey(frames.image(c, "row", p), mask[c], objective.block_px))[0] for p in range(num)]
        told = objective.predictor(torch.cat(z)[None])[0]  # [T,C,h,w]
        for p in range(num):
            if not frames.valid(c, "row", p):
                continue
            truth = objective.target_encoder.module.feature_map(frames.image(c, "row", p)[None])[0]
            for row, column in mask[c].nonzero().tolist():
                place = truth[:, row, column].numpy()
                place = (place - place.mean()) / math.sqrt(place.var() + 1e-5)
                errors.append(float(np.mean(np.abs(told[p, :, row, column].numpy() - place))))
    return mean(errors)


def masks(objective, frames: Frames) -> torch.Tensor:
    return objective.mask(EncodedBatch(objective.encoder, frames.batch))


def grey(image: torch.Tensor, mask: torch.Tensor, block_px: int) -> torch.Tensor:
    """One frame with its hidden blocks painted over, one by one."""
    painted = image.clone()
    for row, column in mask.nonzero().tolist():
        painted[:, row * block_px : (row + 1) * block_px, column * block_px : (column + 1) * block_px] = 128
    return painted[None]
