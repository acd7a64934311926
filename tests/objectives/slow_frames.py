"""Predictions of pixels, as loops."""

import math

import numpy as np
import torch
from slow import Frames, mean, slow
from slow_contrast import scaled_action
from slow_features import grey, masks


def unit(frames: Frames, clip: int, group: str, place: int, view: int = 0) -> np.ndarray:
    return frames.image(clip, group, place, view).double().numpy() / 255


def squared(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a - b) ** 2))


def action_of(objective, frames: Frames, clip: int, k: int) -> torch.Tensor:
    return objective.actions.layers[0](torch.cat([scaled_action(frames, clip, 2 * k + i) for i in range(2)]))


def drawn(decoder, vector: torch.Tensor) -> np.ndarray:
    return decoder(vector[None])[0].numpy()


@slow("masked_video")
@torch.no_grad()
def masked_video(objective, frames: Frames) -> float:
    mask, num, px = masks(objective, frames), frames.size("row"), 8
    errors = []
    for c in frames.clips():
        z = [objective.encoder(grey(frames.image(c, "row", p), mask[c], px))[0] for p in range(num)]
        told = drawn(objective.decoder, torch.cat(z))
        for p in range(num):
            if not frames.valid(c, "row", p):
                continue
            for row, column in mask[c].nonzero().tolist():
                place = np.s_[:, row * px : (row + 1) * px, column * px : (column + 1) * px]
                truth = unit(frames, c, "row", p)[place].reshape(3, -1)
                truth = (truth - truth.mean(1, keepdims=True)) / np.sqrt(truth.var(1, ddof=1, keepdims=True) + 1e-6)
                errors.append(squared(told[3 * p : 3 * p + 3][place].reshape(3, -1), truth))
    return mean(errors)


@slow("autoencoder")
@torch.no_grad()
def autoencoder(objective, frames: Frames) -> float:
    return mean(
        [
            squared(
                drawn(objective.decoder, torch.from_numpy(frames.vector(c, "anchor", p))), unit(frames, c, "anchor", p)
            )
            for c, p in frames.all("anchor")
            if frames.valid(c, "anchor", p)
        ]
    )


def read(objective, frames: Frames, clip: int) -> torch.Tensor:
    """The recurrent state after the context, one frame after the other."""
    state = None
    for p in range(frames.size("context")):
        z = torch.from_numpy(frames.vector(clip, "context", p))
        _, state = objective.reader(z[None, None], state)
    return state[0, 0]


@slow("recurrent_frames")
@torch.no_grad()
def recurrent_frames(objective, frames: Frames) -> float:
    errors = []
    for c in frames.clips():
        state = read(objective, frames, c)
        for k in range(frames.size("target")):
            state = objective.stepper(action_of(objective, frames, c, k)[None], state[None])[0]
            if frames.valid(c, "target", k):
                told = unit(frames, c, "context", -1) + drawn(objective.decoder, state)
                errors.append(squared(told, unit(frames, c, "target", k)))
    return mean(errors)


@slow("parallel_frames")
@torch.no_grad()
def parallel_frames(objective, frames: Frames) -> float:
    errors = []
    for c in frames.clips():
        maps = [objective.encoder.feature_map(frames.image(c, "context", p)[None])[0] for p in range(3)]
        features = [torch.from_numpy(frames.vector(c, "context", p)) for p in range(3)]
        actions = [action_of(objective, frames, c, k) for k in range(3)]
        known = torch.cat([objective.translator(torch.cat(maps)[None])[0], *features, *actions])
        told = drawn(objective.decoder, objective.joined(known[None])[0])
        for k in range(3):
            if frames.valid(c, "target", k):
                frame = unit(frames, c, "context", -1) + told[3 * k : 3 * k + 3]
                errors.append(squared(frame, unit(frames, c, "target", k)))
    return mean(errors)


def kl(a_mean, a_log, b_mean, b_log) -> float:
    """Divergence of independent normal numbers, from the textbook, one at a time."""
    return sum(
        math.log(math.sqrt(math.exp(lb)) / math.sqrt(math.exp(la)))
        + (math.exp(la) + (ma - mb) ** 2) / (2 * math.exp(lb))
        - 0.5
        for ma, la, mb, lb in zip(a_mean, a_log, b_mean, b_log, strict=True)
    )


def stochastic_rollout(objective, frames: Frames, clip: int, with_truth: bool) -> list[tuple[np.ndarray, float]]:
    """Each step's frame and divergence, with the noise that the task draws."""
    noise = objective.draws.normals(frames.batch, 3 * 4)[clip].double()
    state, out = read(objective, frames, clip), []
    for k in range(3):
        action = action_of(objective, frames, clip, k)
        known = torch.cat([state, action])
        prior = objective.prior(known[None])
        chosen = prior
        if with_truth:
            truth = torch.from_numpy(frames.vector(clip, "target", k))
            chosen = objective.posterior(torch.cat([known, truth])[None])
        latent = chosen.mean[0] + (chosen.log_variance[0] / 2).exp() * noise[4 * k : 4 * k + 4]
        state = objective.stepper(torch.cat([action, latent])[None], state[None])[0]
        numbers = (chosen.mean, chosen.log_variance, prior.mean, prior.log_variance)
        frame = unit(frames, clip, "context", -1) + drawn(objective.decoder, state)
        out.append((frame, kl(*(tensor[0].tolist() for tensor in numbers))))
    return out


@slow("stochastic_frames")
@torch.no_grad()
def stochastic_frames(objective, frames: Frames) -> float:
    errors, divergences = [], []
    for c in frames.clips():
        for k, (frame, divergence) in enumerate(stochastic_rollout(objective, frames, c, with_truth=True)):
            if frames.valid(c, "target", k):
                errors.append(squared(frame, unit(frames, c, "target", k)))
                divergences.append(divergence)
    return mean(errors) + 0.1 * mean(divergences)


@slow("adversarial_frames")
@torch.no_grad()
def adversarial_frames(objective, frames: Frames) -> float:
    def scores(last: np.ndarray, frame: np.ndarray) -> list[float]:
        return objective.discriminator(torch.from_numpy(last)[None], torch.from_numpy(frame)[None])[0].tolist()

    def cost(values: list[float]) -> float:
        return mean([math.log(1 + math.exp(-value)) for value in values])

    errors, divergences, fooled, own = [], [], [], []
    for c in frames.clips():
        last = unit(frames, c, "context", -1)
        posterior, prior = (stochastic_rollout(objective, frames, c, with_truth=flag) for flag in (True, False))
        for k, (frame, divergence) in enumerate(posterior):
            if not frames.valid(c, "target", k):
                continue
            truth = unit(frames, c, "target", k)
            errors.append(float(np.mean(np.abs(frame - truth))))
            divergences.append(divergence)
            for kind in (frame, prior[k][0]):
                fake = scores(last, kind)
                fooled.append(cost(fake))
                own.append(cost([-value for value in fake]) + cost(scores(last, truth)))
    return 10 * mean(errors) + 1e-3 * mean(divergences) + 0.01 * mean(fooled) + mean(own)


@slow("other_look")
@torch.no_grad()
def other_look(objective, frames: Frames) -> float:
    errors = []
    for c, p in frames.all("anchor"):
        if frames.valid(c, "anchor", p) and frames.valid(c, "reference", p):
            known = [
                frames.vector(c, "anchor", p),
                frames.vector(c, "reference", p),
                frames.vector(c, "reference", p, view=1),
            ]
            change = drawn(objective.decoder, torch.from_numpy(np.concatenate(known)))
            frame = unit(frames, c, "reference", p, view=1) + change
            errors.append(squared(frame, unit(frames, c, "anchor", p, view=1)))
    return mean(errors)
