"""What was seen before stands before what is seen now, and no episode sees into another."""

import numpy as np

from robossl.policies.history import History


def _seen(*values: int) -> np.ndarray:
    return np.array(values).reshape(-1, 1, 1)  # [N,V,D]


def test_steps_are_joined_with_the_oldest_first() -> None:
    history = History(3)
    assert history.add(_seen(1)).ravel().tolist() == [1, 1, 1]
    assert history.add(_seen(2)).ravel().tolist() == [1, 1, 2]
    assert history.add(_seen(3)).ravel().tolist() == [1, 2, 3]
    assert history.add(_seen(4)).ravel().tolist() == [2, 3, 4]


def test_only_the_envs_of_the_mask_begin_anew() -> None:
    history = History(2)
    history.add(_seen(1, 10))
    history.reset(np.array([False, True]))
    assert history.add(_seen(2, 20)).squeeze(-1).tolist() == [[1, 2], [20, 20]]
    history.reset()
    assert history.add(_seen(3, 30)).squeeze(-1).tolist() == [[3, 3], [30, 30]]


def test_one_step_is_handed_through() -> None:
    views = _seen(5)
    assert History(1).add(views) is views
