"""Heads: each learns, those that sample know several answers, and their losses are the formulas."""

from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from robossl.policies.heads import HeadKind, HeadSpec, build_head, chunk_loss
from robossl.policies.heads.diffusion import NUM_TIMES, signal_kept
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import ExecutionSpec, load_policy, save_policy

KINDS = get_args(HeadKind)
SIZES = (6, 0, 3)


def spec(kind: str, **settings) -> HeadSpec:
    return HeadSpec(
        **{
            "proprio_dim": 3,
            "state_dim": 0,
            "action_dim": 2,
            "chunk_length": 3,
            "hidden": (64, 64),
            "kind": kind,
            **settings,
        }
    )


def fitted(
    kind: str, context: torch.Tensor, targets: torch.Tensor, *, steps: int, **settings: float
) -> torch.nn.Module:
    torch.manual_seed(0)
    head, generator = build_head(SIZES, spec(kind, **settings)), torch.Generator().manual_seed(1)
    valid = torch.ones(targets.shape[:2], dtype=torch.bool)
    optimizer = torch.optim.AdamW(head.parameters(), lr=3e-3, weight_decay=0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = head.loss(context, targets, valid, kind="mse", generator=generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return head.eval()


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_learns_what_follows_from_the_context(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    context = torch.randn((128, 9), generator=generator)
    targets = torch.stack([context[:, :2], context[:, 1:3], -context[:, :2]], dim=1)
    head = fitted(kind, context, targets, steps=250 if kind == "transformer" else 400)
    with torch.no_grad():
        error = (head(context, torch.Generator().manual_seed(3)) - targets).abs().mean()
    assert error < 0.25  # of a standard deviation of 1


@pytest.mark.parametrize("kind", ["mlp", "diffusion", "flow"])
def test_only_a_head_that_samples_takes_one_of_two_ways(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    context = torch.zeros((256, 9))
    side = torch.where(torch.rand(256, generator=generator) < 0.5, -1.0, 1.0)
    head = fitted(kind, context, side[:, None, None].expand(-1, 3, 2), steps=300)
    with torch.no_grad():
        chunks = head(context, torch.Generator().manual_seed(3))
    sides = chunks.mean(dim=(1, 2))
    if kind == "mlp":
        assert sides.abs().max() < 0.3  # the mean, which leads into the obstacle
    else:
        assert ((sides.abs() - 1).abs() < 0.35).float().mean() > 0.9
        assert 0.3 < (sides > 0).float().mean() < 0.7
        assert torch.equal(chunks, head(context, torch.Generator().manual_seed(3)))  # the seed says which


@torch.no_grad()
def test_the_loss_of_flow_is_the_error_of_the_velocity() -> None:
    head = build_head(SIZES, spec("flow")).double()
    context, targets = torch.randn(4, 9).double(), torch.randn(4, 3, 2).double()
    valid = torch.tensor([[True, True, False]] * 4)
    loss = head.loss(context, targets, valid, kind="l1", generator=torch.Generator().manual_seed(5))
    same = torch.Generator().manual_seed(5)
    noise = torch.randn((4, 3, 2), generator=same).double()
    times = torch.rand(4, generator=same).double()
    total = 0.0
    for row in range(4):
        mixed = (1 - times[row]) * noise[row] + times[row] * targets[row]
        velocity = head.denoiser(mixed[None], times[row : row + 1], context[row : row + 1])[0]
        total += float(((velocity - (targets[row] - noise[row]))[:2] ** 2).sum())
    assert float(loss) == pytest.approx(total / (4 * 2 * 2), rel=1e-6)


@torch.no_grad()
def test_the_loss_of_diffusion_is_the_error_of_the_noise() -> None:
    head = build_head(SIZES, spec("diffusion")).double()
    context, targets = torch.randn(4, 9).double(), torch.randn(4, 3, 2).double()
    valid = torch.tensor([[True, True, False]] * 4)
    loss = head.loss(context, targets, valid, kind="l1", generator=torch.Generator().manual_seed(5))
    same = torch.Generator().manual_seed(5)
    noise = torch.randn((4, 3, 2), generator=same).double()
    times = torch.randint(NUM_TIMES, (4,), generator=same).tolist()
    total = 0.0
    for row, time in enumerate(times):
        kept = signal_kept(time)
        noisy = kept**0.5 * targets[row] + (1 - kept) ** 0.5 * noise[row]
        guess = head.denoiser(noisy[None], torch.tensor([time / NUM_TIMES]).double(), context[row : row + 1])[0]
        total += float(((guess - noise[row])[:2] ** 2).sum())
    assert float(loss) == pytest.approx(total / (4 * 2 * 2), rel=1e-5)


def test_diffusion_gives_actions_as_rare_as_those_that_were_shown() -> None:
    generator = torch.Generator().manual_seed(0)
    context = torch.randn((256, 9), generator=generator)
    context[:, 0] = torch.where(torch.arange(256) % 32 == 0, 2.0, -2.0)
    rare = context[:, 0] > 0
    targets = torch.where(rare, -5.4, 0.2)[:, None, None].expand(-1, 3, 2)
    for furthest, least in ((5.4, -5.4), (4.0, -4.0)):
        head = fitted("diffusion", context, targets, steps=400, furthest=furthest, temperature=0.3)
        with torch.no_grad():
            given = head(context[rare], torch.Generator().manual_seed(3))
        assert given.min() >= least - 0.01
        assert (given.mean() < -5.0) == (furthest > 5)


def test_noise_grows_from_nothing_to_all() -> None:
    kept = [signal_kept(time) for time in range(-1, NUM_TIMES)]
    assert kept[0] == 1
    assert kept[-1] < 1e-3
    assert all(later < earlier for earlier, later in pairwise(kept))


@torch.no_grad()
@pytest.mark.parametrize("kind", ["diffusion", "flow"])
def test_any_number_of_sampling_steps_gives_finite_chunks(kind: str) -> None:
    for sampling_steps in (1, 7, 100, 500):
        head = build_head(SIZES, spec(kind, sampling_steps=sampling_steps))
        assert torch.isfinite(head(torch.randn(3, 9), torch.Generator().manual_seed(0))).all()


@torch.no_grad()
@pytest.mark.parametrize("kind", ["diffusion", "flow"])
def test_a_lower_temperature_draws_chunks_nearer_to_each_other(kind: str) -> None:
    context = torch.randn(1, 9).repeat(64, 1)
    spreads = []
    for temperature in (1.0, 0.3, 0.0):
        torch.manual_seed(0)
        head = build_head(SIZES, spec(kind, temperature=temperature))
        spreads.append(float(head(context, torch.Generator().manual_seed(0)).std(dim=0).mean()))
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] == pytest.approx(0, abs=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["mlp", "recurrent", "transformer"])
def test_what_lies_past_the_end_of_an_episode_does_not_count(kind: str) -> None:
    head = build_head(SIZES, spec(kind))
    context, targets = torch.randn(5, 9), torch.randn(5, 3, 2)
    valid = torch.tensor([[True, False, False]] * 5)
    losses = []
    for beyond in (0.0, 100.0):
        targets[:, 1:] = beyond
        losses.append(float(head.loss(context, targets, valid, kind="l1", generator=torch.Generator())))
    assert losses[0] == losses[1]


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"recurrent"}))  # it needs pictures
def test_a_saved_head_acts_as_before(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = PolicyNetwork(spec(kind, state_dim=4), encoder=None, cameras=()).eval()
    save_policy(network, tmp_path / "policy", execution=ExecutionSpec())
    loaded, _ = load_policy(tmp_path / "policy")
    proprio, state = torch.randn(2, 3), torch.randn(2, 4)
    chunks = [
        each(pixels=None, proprio=proprio, state=state, generator=torch.Generator().manual_seed(1)).detach().numpy()
        for each in (network, loaded)
    ]
    np.testing.assert_array_equal(*chunks)
    assert chunks[0].shape == (2, 3, 2)
    assert np.abs(chunks[0]).max() <= 1


@pytest.mark.parametrize("kind", ["l1", "mse", "huber"])
def test_the_loss_is_the_mean_over_valid_steps(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, target = torch.randn((2, 5, 3, 2), generator=generator, dtype=torch.float64)
    valid = torch.rand((5, 3), generator=generator) < 0.6
    total, count = 0.0, 0
    for row in range(5):
        for step in range(3):
            for dim in range(2):
                if valid[row, step]:
                    error = abs(float(predicted[row, step, dim] - target[row, step, dim]))
                    small = 0.5 * error**2 if error < 1 else error - 0.5
                    total += {"l1": error, "mse": error**2, "huber": small}[kind]
                    count += 1
    assert float(chunk_loss(predicted, target, valid, kind=kind)) == pytest.approx(total / count)
