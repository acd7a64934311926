"""InfoNCE against slow loops, its symmetry and limits, and who may never be a negative."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_source import MemorySource
from torch.nn import functional as F  # noqa: N812

from robossl.data.clip_dataset import ClipDataset
from robossl.encoders import build_encoder
from robossl.objectives import Objective, PairedLooks, TimeContrast
from robossl.objectives.parts.infonce import negative_mask, pair_info_nce


def slow_loss(first, second, episode, first_s, second_s, valid, temperature, margin_s, same_side) -> float:
    """The definition, one pair at a time, in float64."""
    num = len(first)
    rows = [*(("first", i) for i in range(num)), *(("second", i) for i in range(num))]
    vector = {(side, i): (first if side == "first" else second)[i].numpy() for side, i in rows}
    time_s = {(side, i): float((first_s if side == "first" else second_s)[i]) for side, i in rows}

    def similarity(a, b) -> float:
        x, y = vector[a], vector[b]
        return float(x @ y / np.sqrt((x @ x) * (y @ y))) / temperature

    losses = []
    for side, i in rows:
        if not valid[i]:
            continue
        partner = ("second" if side == "first" else "first", i)
        total = math.exp(similarity((side, i), partner))
        for other in rows:
            far = episode[i] != episode[other[1]] or abs(time_s[side, i] - time_s[other]) > margin_s + 5e-4
            if other != partner and valid[other[1]] and far and (same_side or other[0] != side):
                total += math.exp(similarity((side, i), other))
        losses.append(math.log(total) - similarity((side, i), partner))
    return sum(losses) / len(losses)


def rows_of(num: int = 12, *, seed: int = 0) -> dict:
    rng = torch.Generator().manual_seed(seed)
    return {
        "first": torch.randn(num, 5, generator=rng, dtype=torch.float64),
        "second": torch.randn(num, 5, generator=rng, dtype=torch.float64),
        "episode": torch.randint(0, 3, (num,), generator=rng),
        "first_time_s": torch.randint(0, 20, (num,), generator=rng) / 10.0,
        "second_time_s": torch.randint(0, 20, (num,), generator=rng) / 10.0,
        "valid": torch.rand(num, generator=rng) > 0.2,
    }


@pytest.mark.parametrize("same_side", [True, False])
@pytest.mark.parametrize("margin_s", [0.0, 0.35])
def test_the_loss_is_that_of_a_slow_loop(same_side: bool, margin_s: float) -> None:
    rows = rows_of()
    loss, _ = pair_info_nce(**rows, temperature=0.2, negative_margin_s=margin_s, same_side_negatives=same_side)
    slow = slow_loss(*rows.values(), 0.2, margin_s, same_side)
    assert float(loss) == pytest.approx(slow, rel=1e-9)


def test_the_loss_is_symmetric_in_the_sides_and_does_not_see_lengths() -> None:
    rows = rows_of()
    settings_ = {"temperature": 0.1, "negative_margin_s": 0.2}
    loss, _ = pair_info_nce(**rows, **settings_)
    swapped = rows | {
        "first": 3 * rows["second"],
        "second": rows["first"],
        "first_time_s": rows["second_time_s"],
        "second_time_s": rows["first_time_s"],
    }
    torch.testing.assert_close(pair_info_nce(**swapped, **settings_)[0], loss)


def test_equal_embeddings_cost_the_logarithm_of_the_candidates_and_orthogonal_ones_nothing() -> None:
    num = 6
    alike = {
        "episode": torch.arange(num),
        "first_time_s": torch.zeros(num),
        "second_time_s": torch.zeros(num),
        "valid": torch.ones(num, dtype=torch.bool),
        "temperature": 0.05,
        "negative_margin_s": 0.0,
    }
    ones = torch.ones(num, 8)
    assert float(pair_info_nce(ones, ones, **alike)[0]) == pytest.approx(math.log(2 * num - 1), rel=1e-5)
    apart = torch.eye(num)
    loss, accuracy = pair_info_nce(apart, apart, **alike)
    assert float(loss) < 1e-6
    assert float(accuracy) == 1.0


def test_an_anchor_without_any_negative_costs_nothing_and_fillers_count_for_nothing() -> None:
    rows = rows_of(4) | {"episode": torch.zeros(4, dtype=torch.int64)}
    loss, _ = pair_info_nce(**rows, temperature=0.1, negative_margin_s=99.0)
    assert float(loss) == pytest.approx(0.0, abs=1e-9)
    nothing = rows | {"valid": torch.zeros(4, dtype=torch.bool)}
    assert float(pair_info_nce(**nothing, temperature=0.1, negative_margin_s=0.1)[0]) == 0.0


@settings(max_examples=200, deadline=None)
@given(
    frames=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=16),
    fps_hz=st.sampled_from([5.0, 20.0, 29.97, 60.0]),
    margin_s=st.floats(0, 2),
)
def test_no_frame_is_a_negative_of_itself_or_of_a_copy_or_inside_the_margin(frames, fps_hz, margin_s) -> None:
    """The property that other implementations break with permuted negatives."""
    episode = torch.tensor([e for e, _ in frames])
    index = torch.tensor([i for _, i in frames])
    time_s = index.double() / fps_hz
    mask = negative_mask(episode, time_s, episode, time_s, negative_margin_s=margin_s)
    assert not mask.diagonal().any()
    assert torch.equal(mask, mask.T)
    for i, a in enumerate(frames):
        for j, b in enumerate(frames):
            if a[0] != b[0]:
                assert mask[i, j], "other episodes are always negatives"
            elif a == b or abs(a[1] - b[1]) / fps_hz <= margin_s:
                assert not mask[i, j]


def clips(objective: Objective, num: int = 4, *, short: bool = False):
    source = MemorySource(lengths=(3, 2, 30, 40)) if short else MemorySource()
    dataset = ClipDataset(source, objective.window, seed=0, views=("front", "front_look2"))
    return dataset.batch(range(num), positions=range(num))


def tiny_encoder():
    return build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16), strides=(4, 2))


@pytest.mark.parametrize("kind", [TimeContrast, PairedLooks])
def test_the_pixels_of_fillers_change_nothing(kind) -> None:
    objective = kind(tiny_encoder())
    batch = clips(objective, short=True)
    assert not batch.valid.all()
    before = objective(batch).loss
    blank = batch.pixels.clone()
    invalid = ~batch.valid
    if kind is TimeContrast:  # an anchor without positive is no candidate either
        groups = batch.groups
        both = invalid[:, groups["anchor"]] | invalid[:, groups["positive"]]
        invalid = torch.cat([both, both], dim=1)
    blank.transpose(1, 2)[invalid] = 0
    batch.pixels.copy_(blank)
    torch.testing.assert_close(objective(batch).loss, before)


def test_paired_looks_learns_to_drop_the_look_and_keep_the_instant() -> None:
    torch.manual_seed(0)
    objective = PairedLooks(tiny_encoder(), num_instants=4, negative_margin_s=0.05)
    optimizer = torch.optim.Adam(objective.parameters(), 3e-3)
    batch = clips(objective)
    for _ in range(60):
        output = objective(batch)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
    assert output.metrics["accuracy"] > 0.9
    with torch.no_grad():
        first = F.normalize(objective.projector(objective.encoder.encode_clip(batch.pixels[:, 0])), dim=-1)
        second = F.normalize(objective.projector(objective.encoder.encode_clip(batch.pixels[:, 1])), dim=-1)
    same_instant = (first * second).sum(-1).mean()
    same_look = (first[:, 1:] * first[:, :-1]).sum(-1).mean()
    assert same_instant > same_look + 0.3


def test_time_contrast_can_take_its_positive_from_another_look() -> None:
    batch = clips(TimeContrast(tiny_encoder()))
    torch.manual_seed(0)
    one = TimeContrast(tiny_encoder())
    torch.manual_seed(0)
    other = TimeContrast(tiny_encoder(), across_views=True)
    assert not torch.allclose(one(batch).loss, other(batch).loss)
