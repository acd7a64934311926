"""One measurement of `bench_rollouts.py`, in a process of its own; with the peers' Python, which has no robossl.

python tools/bench_rollouts_worker.py NAME ARGUMENT SECONDS
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PUSH = "robossl_envs:robossl/PandaPush-v0"
EPISODE_STEPS = 50
BATCH = 256
LONG_EPISODES, LONG_STEPS, LONG_PART = 2000, 20, 200
"""A long run: episodes, steps of each, and how many at either end are compared."""


def main(name: str, argument: str, seconds: float = 0.0) -> None:
    """Warm up, wait for the word, and print how many a second."""
    if name == "long":
        _long(argument)
        return
    made = {"panda_gym": _panda_gym, "fetch": _fetch, "env": _env, "envs": _envs, "rerender": _rerender}
    step = made[name](argument)
    for _ in range(3):
        step()
    print("ready", flush=True)
    sys.stdin.readline()
    count, start_s, start_cpu_s = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start_s < seconds:
        count += step()
    cpu_s = time.process_time() - start_cpu_s
    print(f"rate {count / (time.perf_counter() - start_s)} {1000 * cpu_s / count}", flush=True)


def _episodes(env: Any, *, draws: bool) -> Callable[[], int]:
    """Return what takes one step; an episode ends after `EPISODE_STEPS`."""
    steps = [0]

    def step() -> int:
        if steps[0] % EPISODE_STEPS == 0:
            env.reset(seed=steps[0])
        env.step(env.action_space.sample())
        if draws:
            assert env.render().shape == (64, 64, 3)
        steps[0] += 1
        return 1

    return step


def _panda_gym(argument: str) -> Callable[[], int]:
    import gymnasium as gym
    import panda_gym  # noqa: F401  registers the envs

    env = gym.make("PandaPush-v3", render_mode="rgb_array", render_width=64, render_height=64, renderer="Tiny")
    return _episodes(env, draws=True)


def _fetch(argument: str) -> Callable[[], int]:
    import gymnasium as gym
    import gymnasium_robotics

    gym.register_envs(gymnasium_robotics)
    return _episodes(gym.make("FetchPush-v4", render_mode="rgb_array", width=64, height=64), draws=True)


def _env(argument: str) -> Callable[[], int]:
    import gymnasium as gym

    return _episodes(gym.make(PUSH, domain="randomized", renderer=argument), draws=False)


def _envs(argument: str) -> Callable[[], int]:
    """Step many envs in one process."""
    import gymnasium as gym

    envs = gym.make_vec(
        PUSH, num_envs=int(argument), vectorization_mode="sync", domain="randomized", renderer="gl",
        max_episode_steps=EPISODE_STEPS,
    )  # fmt: skip
    envs.reset(seed=0)

    def step() -> int:
        envs.step(envs.action_space.sample())
        return envs.num_envs

    return step


def _long(argument: str) -> None:
    import gymnasium as gym

    env: Any = gym.make(PUSH, domain="randomized", renderer=argument)
    spent_ms, memory_mb = [], {}
    for episode in range(LONG_EPISODES):
        start_s = time.process_time()
        env.reset(seed=episode)
        for _ in range(LONG_STEPS):
            env.step(env.action_space.sample())
        spent_ms.append(1000 * (time.process_time() - start_s) / LONG_STEPS)
        if episode + 1 in (LONG_PART, LONG_EPISODES):
            status = Path("/proc/self/status").read_text()
            memory_mb[episode + 1] = int(status.split("VmRSS:")[1].split()[0]) / 1024
    first, last = (statistics.median(part) for part in (spent_ms[:LONG_PART], spent_ms[-LONG_PART:]))
    print(
        f"long run: {first:.2f} ms a step in the first {LONG_PART} episodes, {last:.2f} in the last of {LONG_EPISODES}"
    )
    print("long run: resident memory " + ", ".join(f"{size:.0f} MB after {count}" for count, size in memory_mb.items()))


def _rerender(argument: str) -> Callable[[], int]:
    """Draw the states of an episode of the expert, each under a look of its own."""
    import gymnasium as gym
    import numpy as np

    renderer, size = argument.split()
    env: Any = gym.make(PUSH, domain="randomized", renderer=renderer, image_size=int(size)).unwrapped
    expert = env.expert()
    observation, info = env.reset(seed=0)
    states = [info["visual_state"]]
    for _ in range(40):
        observation, *_, info = env.step(expert.act(observation))
        states.append(info["visual_state"])
    looks = env.sample_looks(BATCH, seed=0)
    chosen = np.array(states)[np.arange(BATCH) % len(states)]
    some = 16 if renderer == "tiny" else BATCH
    return lambda: len(env.render_states(chosen[:some], looks=looks[:some]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(float(seconds) for seconds in sys.argv[3:]))
