"""Shuffled actions hurt who listens to them, and nobody else."""

import numpy as np
import pytest

from robossl.errors import RobosslError
from robossl.evaluation.action_use import action_use, other_episodes
from robossl.evaluation.probe import ProbeData, RidgeProbe

EPISODES = np.repeat(np.arange(12), 5)
TARGETS = {"moved": slice(0, 2), "still": slice(2, 3)}


def clips() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return state at the start, actions, and state at the end: two numbers follow the actions, the third rests."""
    generator = np.random.default_rng(0)
    start, actions = generator.normal(size=(60, 3)), generator.normal(size=(60, 2))
    return start, actions, start + np.pad(actions, ((0, 0), (0, 1)))


def used(listens: bool) -> dict:
    start, actions, end = clips()
    mixing = np.random.default_rng(1).normal(size=(3, 6))  # features hold the state in another form
    probe = RidgeProbe().fit(ProbeData(features=end @ mixing, truth=end, episode=EPISODES))

    def predict(told: np.ndarray) -> np.ndarray:
        return (start + listens * np.pad(told, ((0, 0), (0, 1)))) @ mixing

    known = {"start": start @ mixing, "end": end @ mixing, "actions": actions, "truth": end}
    return action_use(predict, probe, **known, episode=EPISODES, targets=TARGETS)


def test_a_predictor_that_listens_is_wrong_by_the_difference_of_the_actions() -> None:
    _, actions, _ = clips()
    moved = used(listens=True)["moved"]
    others = actions[other_episodes(EPISODES, seed=0)]
    assert moved.n == 60
    assert moved.told.value < 0.02
    assert moved.seen.value == pytest.approx(moved.told.value)
    assert moved.shuffled.value == pytest.approx(np.linalg.norm(others - actions, axis=1).mean(), rel=0.02)
    assert moved.still.value == pytest.approx(np.linalg.norm(actions, axis=1).mean(), rel=0.02)
    assert moved.ratio.low > 1.5


def test_what_no_action_moves_stays_as_it_is() -> None:
    still = used(listens=True)["still"]
    assert still.shuffled.value == pytest.approx(still.told.value, abs=0.01)


def test_a_predictor_that_does_not_listen_has_ratio_one() -> None:
    moved = used(listens=False)["moved"]
    assert moved.ratio == (1, 1, 1)
    assert moved.told == moved.still


def test_every_clip_gets_the_actions_of_another_episode() -> None:
    episode = np.array([7] * 5 + [2] * 3 + [9] * 2)
    for seed in range(20):
        partner = other_episodes(episode, seed=seed)
        assert sorted(partner) == list(range(10))
        assert (episode[partner] != episode).all()


def test_too_few_episodes_to_shuffle_are_refused() -> None:
    with pytest.raises(RobosslError, match="more than half"):
        other_episodes(np.array([0, 0, 0, 1]), seed=0)
