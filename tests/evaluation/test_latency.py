"""The time of a decision."""

import time
from typing import Any

import numpy as np
import torch

from robossl.evaluation.latency import act_ms


class Sleepy:
    """Takes two milliseconds, and remembers how many threads it had."""

    def __init__(self) -> None:
        self.resets, self.threads = 0, set[int]()

    def reset(self, env_mask: np.ndarray | None = None) -> None:
        self.resets += 1

    def act(self, observation: Any) -> np.ndarray:
        self.threads.add(torch.get_num_threads())
        time.sleep(0.002)
        return np.zeros((1, 3), np.float32)


def test_a_decision_is_timed_on_one_core_and_the_threads_come_back() -> None:
    before, policy = torch.get_num_threads(), Sleepy()
    assert 2 <= act_ms(policy, {}) < 50
    assert policy.threads == {1}
    assert policy.resets == 1
    assert torch.get_num_threads() == before
