"""The time of a decision."""

import time
from typing import Any

import numpy as np
import torch

from robossl.evaluation.latency import act_ms


class Sleepy:
    """Takes two milliseconds, and remembers how many threads it had."""

    def __init__(self) -> None:
        self.threads = set[int]()

    def reset(self, env_mask: np.ndarray | None = None) -> None:
        pass

    def act(self, observation: Any) -> np.ndarray:
        self.threads.add(torch.get_num_threads())
        time.sleep(0.002)
        return np.zeros((1, 3), np.float32)


def test_a_decision_is_timed_on_one_core_and_the_threads_come_back() -> None:
    before, policy = torch.get_num_threads(), Sleepy()
    assert 2 <= act_ms(policy, {}) < 50
    assert policy.threads == {1}
    assert torch.get_num_threads() == before


class Chunked(Sleepy):
    """Thinks once in four actions."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 0

    def reset(self, env_mask: np.ndarray | None = None) -> None:
        self.left = 0

    def act(self, observation: Any) -> np.ndarray:
        self.left = (self.left or 4) - 1
        return super().act(observation) if self.left == 3 else np.zeros((1, 3), np.float32)


def test_what_is_timed_is_a_decision_and_not_the_rest_of_a_chunk() -> None:
    assert 2 <= act_ms(Chunked(), {}) < 50
