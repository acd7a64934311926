"""Delayed actions and uneven control steps."""

import numpy as np
import pytest

from robossl_envs.randomization.draw import Draw
from robossl_envs.randomization.schedules import draw_schedule
from robossl_envs.randomization.timing import Timing
from robossl_envs.rendering.look import Look


def parts(num_steps: int, **values) -> list[list[tuple[float | None, int]]]:
    """Return action and length of each part of each step; the action of step i is i."""
    names = {name.replace("__", "."): value for name, value in values.items()}
    timing = Timing(Draw(look=Look(), dynamics=None, values=names))
    return [
        [(None if part.action is None else float(part.action[0]), part.num_substeps) for part in timing.parts([step])]
        for step in range(num_steps)
    ]


def test_without_delay_a_step_is_one_part() -> None:
    assert parts(3) == [[(0, 12)], [(1, 12)], [(2, 12)]]


def test_a_delay_of_part_of_a_step_splits_it() -> None:
    assert parts(3, action_delay=5 / 240) == [[(None, 5), (0, 7)], [(None, 5), (1, 7)], [(None, 5), (2, 7)]]


@pytest.mark.parametrize(("steps", "delay_s"), [(1, 0.05), (2, 0.1)])
def test_a_delay_of_whole_steps_shifts_actions(steps: int, delay_s: float) -> None:
    expected = [[(None if step < steps else step - steps, 12)] for step in range(4)]
    assert parts(4, action_delay=delay_s) == expected


def test_steps_are_as_long_as_they_were_drawn_and_usual_afterwards() -> None:
    assert parts(3, rate_jitter__substeps=[9.0, 15.0]) == [[(0, 9)], [(1, 15)], [(2, 12)]]


def test_actions_arrive_in_order_wherever_steps_end() -> None:
    late = parts(3, action_delay=14 / 240, rate_jitter__substeps=[12.0, 1.0, 20.0])
    assert late == [[(None, 12)], [(None, 1)], [(None, 1), (0, 12), (1, 1), (2, 6)]]


@pytest.mark.parametrize("axis", ["lost_frames", "rate_jitter"])
def test_a_longer_episode_begins_like_a_shorter_one(axis: str) -> None:
    short, long = (draw_schedule(axis, 0.3, np.random.default_rng(0), steps) for steps in (20, 40))
    for name, numbers in short.items():
        assert long[name][: len(numbers)] == numbers
