"""The next episode never pays for the last: resident memory and the time of a reset stay where they were."""

import gc
import os
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

STATM = Path("/proc/self/statm")
pytestmark = pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from /proc")


def resident_mb() -> float:
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def grown(env_id: str, *, warm_up: int, num_resets: int) -> tuple[float, np.ndarray]:
    """Return the growth of memory [MB], and the processor time of each reset [s]."""
    env = gym.make(f"robossl_envs:{env_id}", domain="randomized", randomization="full", image_size=32)
    times_s = []
    for seed in range(warm_up + num_resets):
        if seed == warm_up:
            before_mb = resident_mb()
        start_s = time.process_time()
        env.reset(seed=seed)
        times_s.append(time.process_time() - start_s)
        env.step(env.action_space.sample())
    grown_mb = resident_mb() - before_mb
    env.close()
    return grown_mb, np.array(times_s[warm_up:])


@pytest.mark.parametrize("env_id", ["robossl/PandaPush-v0", "robossl/BallOnPlate-v0"])
def test_a_hundred_resets_leave_nothing(env_id: str) -> None:
    grown_mb, _ = grown(env_id, warm_up=60, num_resets=100)
    assert grown_mb < 1.5


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("env_id", ["robossl/PandaPush-v0", "robossl/XArmSortByColour-v0", "robossl/BallOnPlate-v0"])
def test_two_thousand_resets_grow_by_less_than_five_megabytes_and_get_no_slower(env_id: str) -> None:
    grown_mb, times_s = grown(env_id, warm_up=100, num_resets=2000)
    print(
        f"{env_id}: {grown_mb:.2f} MB, {1e3 * np.median(times_s[:500]):.1f} -> {1e3 * np.median(times_s[-500:]):.1f} ms"
    )
    assert grown_mb < 5
    assert np.median(times_s[-500:]) < 1.3 * np.median(times_s[:500])
