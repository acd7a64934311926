"""How long a policy takes to decide."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from robossl.types import Policy

WARM_UP, NUM_STEPS = 5, 40


def act_ms(policy: Policy, observation: Mapping[str, Any]) -> float:
    """Return the median time of one action on one core [ms], pictures in and action out.

    Each is the first of an episode, so that the network runs also where it gives several actions at once.

    Args:
        policy: is asked for the same observation again and again, and reset before.
        observation: a batch of one, as `Policy.act` takes it.
    """
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times_s = []
        for _ in range(WARM_UP + NUM_STEPS):
            policy.reset()
            start_s = time.perf_counter()
            policy.act(observation)
            times_s.append(time.perf_counter() - start_s)
    finally:
        torch.set_num_threads(num_threads)
    return 1e3 * float(np.median(times_s[WARM_UP:]))
