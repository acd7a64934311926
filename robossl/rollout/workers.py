"""Worker processes, each with an env of its own."""

import os
import signal
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Literal, Self

import gymnasium as gym

from robossl.errors import ConfigError, RobosslError
from robossl.rollout.env_spec import EnvSpec, one_line
from robossl.rollout.episode import PolicyFactory, SecondLook, Undrawn, run_episode, run_undrawn
from robossl.rollout.sharing import Shared, share
from robossl.types import Episode

Way = Literal["step", "episode", "central"]
"""Who draws: each process at each step; each process its whole episode in one call; the process that asked for the
episodes, while the workers go on with physics. The pictures are the same."""


@dataclass(frozen=True)
class Job:
    """What is to be rolled out."""

    env_spec: EnvSpec
    policy: PolicyFactory
    second_look: SecondLook | None
    reset_options: Mapping[int, Mapping[str, Any]]

    @property
    def kind(self) -> str:
        """What the cost of an episode depends on."""
        return repr((self.env_spec, self.second_look))

    def run(self, env: gym.Env, seed: int, way: Way) -> Episode | Undrawn:
        """Roll one episode out."""
        run = run_episode if way == "step" else run_undrawn
        policy, options = self.policy(env, seed), self.reset_options.get(seed)
        done = run(env, policy, seed=seed, second_look=self.second_look, options=options)
        return done.drawn(env) if isinstance(done, Undrawn) and way == "episode" else done


@dataclass(frozen=True)
class Sent:
    """An episode on its way, its pictures apart from the rest."""

    rest: Episode | Undrawn
    pixels: Shared

    def take(self) -> Episode | Undrawn:
        """Return the episode. Called once."""
        pixels = self.pixels.take()
        return replace(self.rest, pixels=pixels) if isinstance(self.rest, Episode) else self.rest


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
        self.fastest: dict[str, Way] = {}
        """What calibrations found for a kind of episode, so that the next rollout needs none."""
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, job: Job, seed: int, way: Way) -> "Future[Sent | str]":
        """Start one episode; the result is the episode, or the text of what went wrong."""
        if self._executor is None:
            # spawn, never fork: decoders, GL contexts and torch's thread pools do not survive a fork
            self._executor = ProcessPoolExecutor(
                self.num_workers, mp_context=get_context("spawn"), initializer=_start_worker
            )
        return self._executor.submit(_work, job, seed, way)

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


_held: dict[str, tuple[EnvSpec, gym.Env]] = {}
"""In a worker process: the env that its last episode ran in."""


def _start_worker() -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    torch.set_num_threads(1)


def _work(job: Job, seed: int, way: Way) -> Sent | str:
    # the text and not the exception goes back: not every exception survives pickling
    try:
        done = job.run(_env_in_worker(job.env_spec), seed, way)
    except RobosslError as error:
        return one_line(error)
    except Exception as error:
        return f"{type(error).__name__}: {one_line(error)}"
    if isinstance(done, Undrawn):
        return Sent(done, share({}))
    return Sent(replace(done, pixels={}), share(done.pixels))


def _env_in_worker(env_spec: EnvSpec) -> gym.Env:
    if "env" in _held and _held["env"][0] == env_spec:
        return _held["env"][1]
    if "env" in _held:
        _held.pop("env")[1].close()
    env = env_spec.make()
    _held["env"] = (env_spec, env)
    return env
