"""The order of data: a pure function of seed and step, the same on any number of processes."""

import numpy as np
import pytest

from robossl.data.sampler import BatchSampler
from robossl.errors import ConfigError


def test_each_epoch_holds_every_item_once_in_another_order() -> None:
    sampler = BatchSampler([10], batch_size=4, seed=0)
    stream = np.concatenate([sampler.plan(step).items for step in range(5)])
    assert sorted(stream[:10]) == list(range(10))
    assert sorted(stream[10:]) == list(range(10))
    assert stream[:10].tolist() != stream[10:].tolist()


def test_a_fresh_sampler_goes_on_where_another_stopped() -> None:
    first, second = (BatchSampler([7, 5], batch_size=4, seed=3) for _ in range(2))
    steps = [first.plan(step) for step in range(40)]
    later = second.plan(33)
    assert later.source == steps[33].source
    assert np.array_equal(later.items, steps[33].items)
    assert np.array_equal(later.positions, np.arange(33 * 4, 34 * 4))


def test_the_seed_matters_in_the_first_epoch_too() -> None:
    orders = [BatchSampler([50], batch_size=50, seed=seed).plan(0).items.tolist() for seed in range(3)]
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_ranks_share_the_joint_batch_and_the_source(world_size: int) -> None:
    joint = BatchSampler([9, 4], batch_size=8, seed=1)
    ranks = [BatchSampler([9, 4], batch_size=8, seed=1, rank=r, world_size=world_size) for r in range(world_size)]
    for step in range(10):
        plans = [sampler.plan(step) for sampler in ranks]
        assert {plan.source for plan in plans} == {joint.plan(step).source}
        assert np.array_equal(np.concatenate([plan.items for plan in plans]), joint.plan(step).items)


def test_sources_come_in_proportion_to_their_weights() -> None:
    sampler = BatchSampler([3, 3], batch_size=2, seed=0, weights=[3.0, 1.0])
    share = np.mean([sampler.source_at(step) for step in range(2000)])
    assert share == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"num_items": []}, "at least one item"),
        ({"num_items": [3, 0]}, "at least one item"),
        ({"weights": [0.0]}, "weights must be positive"),
        ({"weights": [1.0, 1.0]}, "one for each of 1 sources"),
        ({"batch_size": 3, "world_size": 2}, "batch_size must be a positive multiple of 2 processes, got 3"),
    ],
)
def test_impossible_plans_are_refused(arguments: dict, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        BatchSampler(**{"num_items": [3], "batch_size": 2, "seed": 0, **arguments})


def test_batches_of_one_step_come_from_one_source() -> None:
    single, double = (BatchSampler([9, 9], batch_size=2, seed=0, same_source=count) for count in (1, 2))
    sources = [double.plan(number).source for number in range(40)]
    assert sources[::2] == sources[1::2] == [single.plan(step).source for step in range(20)]
    assert set(sources) == {0, 1}
