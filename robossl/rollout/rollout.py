"""`rollout`: episodes in order, from this process or from several."""

import time
from collections import deque
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from typing import Any

import gymnasium as gym

from robossl.errors import RobosslError
from robossl.rollout.calibration import Calibration
from robossl.rollout.env_spec import EnvSpec
from robossl.rollout.episode import PolicyFactory, SecondLook, Undrawn, may_draw_later
from robossl.rollout.workers import Job, Sent, Way, Workers
from robossl.types import Episode


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
    Pictures that no policy looks at are drawn in one of several ways, all to the same bits; a long rollout tries them
    on its first episodes, and says in one line which one it goes on with.

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
    job = Job(env_spec, policy, second_look, reset_options or {})
    seeds = range(seed, seed + num_episodes)
    with ExitStack() as stack:
        if workers is None:
            workers = stack.enter_context(Workers(num_workers))
        if workers.num_workers == 1:
            yield from _here(job, seeds, workers)
        elif getattr(policy, "sees_pixels", True):
            yield from _in_workers(job, seeds, workers, None)
        else:
            env = stack.enter_context(closing(env_spec.make()))
            yield from _in_workers(job, seeds, workers, env if may_draw_later(env, policy) else None)


def _here(job: Job, seeds: range, workers: Workers) -> Generator[Episode, None, None]:
    with closing(job.env_spec.make()) as env:
        choice = _choice(job, seeds, workers) if may_draw_later(env, job.policy) else None
        for seed in seeds:
            way: Way = (choice.way() if choice else None) or "step"
            episode = job.run(env, seed, way)
            assert isinstance(episode, Episode)
            _learn(choice, episode, time.perf_counter(), job, workers)
            yield episode


def _in_workers(job: Job, seeds: range, workers: Workers, env: gym.Env | None) -> Generator[Episode, None, None]:
    """Keep every worker busy, but hold no more than two finished episodes a worker in memory.

    Args:
        job: what to roll out.
        seeds: of the episodes.
        workers: the processes.
        env: draws what workers have not drawn; None: they draw at every step.
    """
    waiting: deque[_Waiting] = deque()
    remaining = deque(seeds)
    choice = _choice(job, seeds, workers) if env is not None else None
    try:
        while waiting or remaining:
            while remaining and len(waiting) < 2 * workers.num_workers:
                way: Way | None = choice.way() if choice else "step"
                if way is None:
                    break
                waiting.append(_Waiting(workers.submit(job, remaining[0], way), remaining.popleft()))
            episode, at_s = waiting.popleft().result(env)
            _learn(choice, episode, at_s, job, workers)
            yield episode
    except BrokenProcessPool as error:
        workers.close()
        raise RobosslError("a rollout worker died, most likely for want of memory; use fewer num_workers") from error
    finally:
        for one in waiting:
            one.drop()


class _Waiting:
    """An episode that a worker is at."""

    def __init__(self, future: "Future[Sent | str]", seed: int) -> None:
        self._future, self._seed = future, seed
        self._at_s = 0.0
        future.add_done_callback(self._note)

    def _note(self, future: "Future[Sent | str]") -> None:
        del future
        self._at_s = time.perf_counter()

    def result(self, env: gym.Env | None) -> tuple[Episode, float]:
        """Return the episode with its pictures, and when it had them."""
        sent = self._future.result()
        if isinstance(sent, str):
            raise RobosslError(f"the episode with seed {self._seed} failed: {sent}")
        episode = sent.take()
        if isinstance(episode, Undrawn):
            assert env is not None
            return episode.drawn(env), time.perf_counter()
        return episode, self._at_s or time.perf_counter()  # the note may come a little after the result

    def drop(self) -> None:
        """Let nothing stay in memory of an episode that nobody waits for any more."""
        if not self._future.cancel():
            self._future.add_done_callback(_free)


def _free(future: "Future[Sent | str]") -> None:
    if not future.cancelled() and future.exception() is None and isinstance(sent := future.result(), Sent):
        sent.take()


def _choice(job: Job, seeds: range, workers: Workers) -> Calibration:
    known = workers.fastest.get(job.kind)
    return Calibration(len(seeds), num_processes=workers.num_workers, known=known)


def _learn(choice: Calibration | None, episode: Episode, at_s: float, job: Job, workers: Workers) -> None:
    if choice is None or choice.fastest:
        return
    choice.came_back(len(episode), at_s)
    if choice.fastest:
        workers.fastest[job.kind] = choice.fastest
