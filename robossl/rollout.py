"""Episodes from an env and a policy: the same ones however many processes make them."""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self

import gymnasium as gym
import numpy as np
from jaxtyping import Float32, UInt8

from robossl.errors import ConfigError, RobosslError
from robossl.types import Episode, Policy

PolicyFactory = Callable[[gym.Env, int], Policy]
"""(env, episode seed) -> the policy of one episode. Must be picklable when worker processes are used; a policy that
draws random numbers seeds itself with the episode's seed, so that no episode depends on the ones before."""

ENVS_PACKAGE = "robossl_envs"
LOOK2_SUFFIX = "_look2"
SOLVED_DRAWS = "num_solved_draws"
"""Stored among the variations: layouts that the env drew and threw away because they were solved from the start."""


@dataclass(frozen=True, kw_only=True)
class EnvSpec:
    """What `gym.make` needs, as plain values that any process can use."""

    env_id: str
    """`robossl/PandaReach-v0`; an id of another package is written `package:namespace/Name-v0`."""
    domain: str = "nominal"
    cameras: tuple[str, ...] = ("front",)
    image_size: int = 64
    """Height and width [px]."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keywords of the env."""

    def make(self) -> gym.Env:
        """Return a new env.

        Raises:
            ConfigError: no such id, domain, camera or option.
        """
        env_id = self.env_id if ":" in self.env_id else f"{ENVS_PACKAGE}:{self.env_id}"
        values = {"domain": self.domain, "cameras": self.cameras, "image_size": self.image_size, **self.options}
        try:
            return gym.make(env_id, **values)
        except (gym.error.Error, ImportError, TypeError, ValueError) as error:
            if isinstance(error, TypeError) and "keyword argument" not in str(error):
                raise  # a fault of the env, not one that takes no cameras or no domain
            raise ConfigError(f"can't make env {self.env_id!r}: {_one_line(error)}") from error


@dataclass(frozen=True, kw_only=True)
class SecondLook:
    """Draw each instant of an episode again, under other draws of the randomization, as camera `<camera>_look2`."""

    every: int | None = None
    """Frames that share one draw; None: one draw for the whole episode."""

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise ConfigError(f"look_every is {self.every}; it must be at least 1 frame, or none for one look")


class Workers:
    """Processes that are kept from one rollout to the next, since starting one costs seconds (it imports torch).

    Args:
        num_workers: 1 runs in this process; more start that many, each with one env and one torch thread; 0: one for
            each CPU core that this process may use.
    """

    def __init__(self, num_workers: int) -> None:
        if num_workers < 0:
            raise ConfigError(f"num_workers is {num_workers}; it must be 0 (one a core) or more")
        self.num_workers = num_workers or len(os.sched_getaffinity(0))
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, job: "_Job", seed: int) -> "Future[Episode | str]":
        """Start one episode; the result is the episode, or the text of what went wrong."""
        if self._executor is None:
            # spawn, never fork: decoders, GL contexts and torch's thread pools do not survive a fork
            self._executor = ProcessPoolExecutor(
                self.num_workers, mp_context=get_context("spawn"), initializer=_start_worker
            )
        return self._executor.submit(_work, job, seed)

    def close(self) -> None:
        """End the processes; a second call does nothing."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def rollout(
    env_spec: EnvSpec,
    policy: PolicyFactory,
    *,
    num_episodes: int,
    seed: int,
    num_workers: int = 1,
    workers: Workers | None = None,
    second_look: SecondLook | None = None,
    reset_options: Mapping[int, Mapping[str, Any]] | None = None,
) -> Generator[Episode, None, None]:
    """Yield `num_episodes` episodes in order; episode i is reset with seed `seed + i` and depends on nothing else.

    PyBullet holds the interpreter's lock while it steps and draws, so processes are what gives speed, not threads.

    Args:
        env_spec: the env.
        policy: makes the policy of each episode.
        num_episodes: how many.
        seed: seed of the first episode.
        num_workers: processes, as in `Workers`.
        workers: processes that are kept open between rollouts; replaces `num_workers`.
        second_look: also draw each instant under a second draw of the randomization.
        reset_options: options of the env's `reset`, by episode seed.

    Raises:
        ConfigError: the env can't be made.
        RobosslError: an episode failed in a worker; names its seed.
    """
    job = _Job(env_spec, policy, second_look, reset_options or {})
    seeds = range(seed, seed + num_episodes)
    if workers is not None:
        yield from _here(job, seeds) if workers.num_workers == 1 else _in_workers(job, seeds, workers)
        return
    with Workers(num_workers) as own:
        yield from _here(job, seeds) if own.num_workers == 1 else _in_workers(job, seeds, own)


def run_episode(
    env: gym.Env,
    policy: Policy,
    *,
    seed: int,
    second_look: SecondLook | None = None,
    options: Mapping[str, Any] | None = None,
) -> Episode:
    """Reset the env with this seed and these options, act until the episode ends, and return it."""
    observation, info = env.reset(seed=seed, options=None if options is None else dict(options))
    policy.reset()
    steps = [(observation, info)]
    actions, rewards = [], []
    terminated = truncated = False
    while not (terminated or truncated):
        # simulator truth goes along for state-based baselines; no visual policy reads it
        seen_now = batch_of_one({**observation, "environment_state": info["environment_state"]})
        action = np.asarray(policy.act(seen_now), np.float32).reshape(-1)
        observation, reward, terminated, truncated, info = env.step(action)
        steps.append((observation, info))
        actions.append(action)
        rewards.append(reward)
    states = np.stack([info["visual_state"] for _, info in steps]).astype(np.float32)
    pixels = {name: np.stack([seen["pixels"][name] for seen, _ in steps]) for name in observation["pixels"]}
    if second_look is not None:
        pixels |= _second_look(env, states, cameras=tuple(pixels), seed=seed, every=second_look.every)
    simulator: Any = env.unwrapped
    record = simulator.episode_record()
    return Episode(
        pixels=pixels,
        proprio=np.stack([seen["agent_pos"] for seen, _ in steps]).astype(np.float32),
        environment_state=np.stack([info["environment_state"] for _, info in steps]).astype(np.float32),
        visual_state=states,
        actions=np.stack(actions),
        rewards=np.asarray(rewards, np.float32),
        terminated=bool(terminated),
        truncated=bool(truncated),
        success=bool(info["is_success"]),
        goal=np.asarray(record["goal"], np.float32),
        variations={**record["variations"], SOLVED_DRAWS: record["num_solved_draws"]},
        randomization=record.get("randomization"),
        **{name: record[name] for name in ("seed", "env_id", "domain", "renderer", "task", "fps_hz")},
    )


def batch_of_one(observation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested observation with a first axis of length 1 on every array, as `Policy.act` takes it."""
    return {
        name: batch_of_one(value) if isinstance(value, Mapping) else np.asarray(value)[None]
        for name, value in observation.items()
    }


@dataclass(frozen=True)
class _Job:
    env_spec: EnvSpec
    policy: PolicyFactory
    second_look: SecondLook | None
    reset_options: Mapping[int, Mapping[str, Any]]

    def run(self, env: gym.Env, seed: int) -> Episode:
        policy, options = self.policy(env, seed), self.reset_options.get(seed)
        return run_episode(env, policy, seed=seed, second_look=self.second_look, options=options)


def _here(job: _Job, seeds: range) -> Generator[Episode, None, None]:
    env = job.env_spec.make()
    try:
        for seed in seeds:
            yield job.run(env, seed)
    finally:
        env.close()


def _in_workers(job: _Job, seeds: range, workers: Workers) -> Generator[Episode, None, None]:
    """Keep every worker busy, but hold no more than two finished episodes a worker in memory."""
    waiting: deque[tuple[int, Future[Episode | str]]] = deque()
    remaining = iter(seeds)
    try:
        for seed in seeds:
            while len(waiting) < 2 * workers.num_workers and (upcoming := next(remaining, None)) is not None:
                waiting.append((upcoming, workers.submit(job, upcoming)))
            result = waiting.popleft()[1].result()
            if isinstance(result, str):
                raise RobosslError(f"the episode with seed {seed} failed: {result}")
            yield result
    except BrokenProcessPool as error:
        workers.close()
        raise RobosslError("a rollout worker died, most likely for want of memory; use fewer num_workers") from error
    finally:
        for _, future in waiting:
            future.cancel()


def _second_look(
    env: gym.Env, states: Float32[np.ndarray, "L1 X"], *, cameras: tuple[str, ...], seed: int, every: int | None
) -> dict[str, UInt8[np.ndarray, "L1 H W C"]]:
    simulator: Any = env.unwrapped
    segment = np.arange(len(states)) // (every or len(states))  # [L+1] index of the draw that a frame is seen under
    draws = simulator.sample_looks(int(segment[-1]) + 1, seed=seed)  # a stream of its own: not the episode's look
    looks = [draws[index] for index in segment]
    return {name + LOOK2_SUFFIX: simulator.render_states(states, looks=looks, camera=name) for name in cameras}


_held: dict[str, tuple[EnvSpec, gym.Env]] = {}
"""In a worker process: the env that its last episode ran in."""


def _start_worker() -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    torch.set_num_threads(1)


def _work(job: _Job, seed: int) -> "Episode | str":
    # the text and not the exception goes back: not every exception survives pickling
    try:
        return job.run(_env_in_worker(job.env_spec), seed)
    except RobosslError as error:
        return _one_line(error)
    except Exception as error:
        return f"{type(error).__name__}: {_one_line(error)}"


def _env_in_worker(env_spec: EnvSpec) -> gym.Env:
    if "env" in _held and _held["env"][0] == env_spec:
        return _held["env"][1]
    if "env" in _held:
        _held.pop("env")[1].close()
    env = env_spec.make()
    _held["env"] = (env_spec, env)
    return env


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
