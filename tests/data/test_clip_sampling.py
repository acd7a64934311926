"""Windows: frames are where their group says, fillers are marked, and equal groups are shared."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robossl.data.clip_sampling import (
    Near,
    Spread,
    Window,
    instant_window,
    num_items,
    pair_window,
    sequence_window,
    union_window,
)
from robossl.errors import ConfigError

lengths = st.integers(1, 200)
seeds = st.integers(0, 2**31)


def groups(window: Window, draw) -> dict:
    return {name: (draw.indices[span], draw.valid[span]) for name, span in window.groups.items()}


@settings(max_examples=200, deadline=None)
@given(length=lengths, seed=seeds, num=st.integers(1, 12), window_s=st.floats(0.01, 3.0))
def test_positives_are_near_and_never_the_anchor(length: int, seed: int, num: int, window_s: float) -> None:
    window = pair_window(num_anchors=num, positive_window_s=window_s)
    drawn = groups(window, window.sample(length, 20.0, seed=(seed,)))
    (anchors, anchor_valid), (positives, valid) = drawn["anchor"], drawn["positive"]
    reach = max(1, int(window_s * 20 + 1e-6))
    assert np.all((positives >= 0) & (positives < length))
    assert np.all(positives[valid] != anchors[valid])
    assert np.all(np.abs(positives - anchors)[valid] <= reach)
    assert np.array_equal(valid, anchor_valid & (length > 1))


@settings(max_examples=200, deadline=None)
@given(length=lengths, seed=seeds, num=st.integers(1, 12))
def test_instants_are_distinct_spread_out_and_fillers_are_marked(length: int, seed: int, num: int) -> None:
    window = instant_window(num_instants=num, num_views=2)
    draw = window.sample(length, 20.0, seed=(seed,))
    chosen = draw.indices[draw.valid]
    assert len(chosen) == min(num, length)
    assert len(set(chosen.tolist())) == len(chosen)
    assert np.all((draw.indices >= 0) & (draw.indices < length))
    if length >= num:
        parts = chosen * num // length  # part of the episode, up to rounding
        assert np.all(np.abs(parts - np.arange(num)) <= 1)


@settings(max_examples=200, deadline=None)
@given(length=lengths, seed=seeds, num=st.integers(1, 5), stride=st.integers(1, 4), few=st.booleans())
def test_targets_are_exactly_their_horizon_ahead_or_marked(
    length: int, seed: int, num: int, stride: int, few: bool
) -> None:
    horizons = (1, 3, 8)
    window = sequence_window(num_context=num, horizons=horizons, frame_stride=stride, num_targets=2 if few else None)
    drawn = groups(window, window.sample(length, 20.0, seed=(seed,)))
    (context, context_valid), (target, valid) = drawn["context"], drawn["target"]
    assert np.all((target < length) & (target >= 0) & True)
    assert np.all(np.diff(context[context_valid]) == stride)
    assert set((target - context[-1])[valid].tolist()) <= set(horizons)
    if length > (num - 1) * stride + horizons[-1]:
        assert context_valid.all()
        assert valid.all(), "an episode that is long enough has no fillers"
    if not context_valid.all():
        assert not valid.any(), "no target counts whose context is not whole"


def test_the_frame_stride_counts_for_the_room_that_a_clip_needs() -> None:
    window = sequence_window(num_context=3, horizons=(2,), frame_stride=4)
    starts = {int(window.sample(11, 20.0, seed=(seed,)).indices[0]) for seed in range(50)}
    assert starts == {0}
    assert window.sample(11, 20.0, seed=(0,)).valid.all()
    assert window.sample(10, 20.0, seed=(0,)).valid.tolist() == [True, True, True, False]


def test_draws_depend_on_the_seed_and_nothing_else() -> None:
    window = pair_window(num_anchors=4, positive_window_s=0.5)
    one = window.sample(100, 20.0, seed=(1, 7))
    assert np.array_equal(one.indices, window.sample(100, 20.0, seed=(1, 7)).indices)
    assert not np.array_equal(one.indices, window.sample(100, 20.0, seed=(1, 8)).indices)


def test_a_union_shares_equal_groups_and_moves_no_draw() -> None:
    pairs = pair_window(num_anchors=4, positive_window_s=0.5)
    instants = instant_window(num_instants=4, num_views=2)
    sequence = sequence_window(num_context=2, horizons=(1, 2))
    other = sequence_window(num_context=3, horizons=(1, 2))
    union, names = union_window([pairs, instants, sequence, other])
    assert union.num_frames == 4 + 4 + 2 + 2 + 3 + 2
    assert names[1] == {"anchor": "anchor"}
    assert names[3] == {"context": "context2", "target": "target2"}
    assert union.num_views == 2
    assert union.action_steps == 2
    assert union.augmentation_keys["target2"] == "context2"
    drawn = union.sample(100, 20.0, seed=(3,))
    for window, naming in zip([pairs, instants, sequence, other], names, strict=True):
        alone = window.sample(100, 20.0, seed=(3,))
        for name, span in window.groups.items():
            assert np.array_equal(drawn.indices[union.groups[naming[name]]], alone.indices[span])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: instant_window(num_instants=0, num_views=2), "num must be at least 1, got 0"),
        (lambda: Near(Spread(2), 0.0), "positive_window_s must be more than 0 s, got 0.0"),
        (lambda: sequence_window(num_context=0, horizons=(1,)), "num_context must be at least 1"),
        (lambda: sequence_window(num_context=1, horizons=()), "horizons must be increasing"),
        (lambda: sequence_window(num_context=1, horizons=(3, 2)), "horizons must be increasing"),
        (lambda: sequence_window(num_context=1, horizons=(1,), num_targets=2), "num_targets must be between 1"),
        (lambda: sequence_window(num_context=1, horizons=(1,), frame_stride=0), "frame_stride must be at least 1"),
    ],
)
def test_impossible_windows_are_refused(make, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make()


@pytest.mark.parametrize(
    "window",
    [
        instant_window(num_instants=4, num_views=2),
        pair_window(num_anchors=3, positive_window_s=0.2),
        sequence_window(num_context=3, horizons=(2, 5), frame_stride=2),
    ],
)
def test_an_episode_of_the_least_length_fills_each_group_and_a_shorter_one_can_not(window: Window) -> None:
    def can_fill(num_frames: int) -> bool:
        draws = [window.sample(num_frames, 10.0, seed=[seed]).valid for seed in range(50)]
        return all(any(draw[place].any() for draw in draws) for place in window.groups.values())

    assert can_fill(window.min_frames)
    assert (
        window.min_frames == 1
        or not np.concatenate(
            [window.sample(window.min_frames - 1, 10.0, seed=[seed]).valid[-1:] for seed in range(50)]
        ).any()
    )


def test_long_episodes_count_for_more_items() -> None:
    window = instant_window(num_instants=8, num_views=1)
    assert [num_items(length, window) for length in (1, 8, 80)] == [1, 1, 10]
