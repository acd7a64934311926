"""One episode: an env, a policy and a seed in; what happened, and its pictures, out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from jaxtyping import Float, Float32, UInt8

from robossl.errors import ConfigError
from robossl.types import Episode, Policy

PolicyFactory = Callable[[gym.Env, int], Policy]
"""(env, episode seed) -> the policy of one episode. Must be picklable when worker processes are used; a policy that
draws random numbers seeds itself with the episode's seed, so that no episode depends on the ones before. One whose
policies look at no picture may say so with `sees_pixels = False`: then pictures are drawn when the episode is over."""

LOOK2_SUFFIX = "_look2"
SOLVED_DRAWS = "num_solved_draws"
"""Stored among the variations: layouts that the env drew and threw away because they were solved from the start."""


@dataclass(frozen=True, kw_only=True)
class SecondLook:
    """Draw each instant of an episode again, under other draws of the randomization, as camera `<camera>_look2`."""

    every: int | None = None
    """Frames that share one draw; None: one draw for the whole episode."""

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise ConfigError(f"look_every is {self.every}; it must be at least 1 frame, or none for one look")


@dataclass(frozen=True, kw_only=True)
class Undrawn:
    """An episode whose pictures are still to be drawn, by any process that has such an env."""

    episode: Episode
    """Without pictures."""
    cameras: tuple[str, ...]
    states: Float[np.ndarray, "L1 X"]
    """As the simulation has them; the episode's own are rounded."""
    shown: Any
    """Under which look and by which sensor; the env's own kind."""
    second_look: SecondLook | None

    def drawn(self, env: gym.Env) -> Episode:
        """Return the episode with the pictures that the env would have shown at each step."""
        simulator: Any = env.unwrapped
        pixels = {name: simulator.draw_instants(self.states, self.shown, camera=name) for name in self.cameras}
        return replace(self.episode, pixels=pixels | self._second(env))

    def _second(self, env: gym.Env) -> dict[str, UInt8[np.ndarray, "L1 H W C"]]:
        if self.second_look is None:
            return {}
        episode, every = self.episode, self.second_look.every
        return _second_look(env, episode.visual_state, cameras=self.cameras, seed=episode.seed, every=every)


def may_draw_later(env: gym.Env, policy: PolicyFactory) -> bool:
    """Tell whether pictures can wait for the end of the episode: nobody looks at them, and the env offers it."""
    return not getattr(policy, "sees_pixels", True) and hasattr(env.unwrapped, "pictures_later")


def run_episode(
    env: gym.Env,
    policy: Policy,
    *,
    seed: int,
    second_look: SecondLook | None = None,
    options: Mapping[str, Any] | None = None,
) -> Episode:
    """Reset the env with this seed and these options, act until the episode ends, and return it."""
    course = _run(env, policy, seed=seed, options=options)
    pixels = {name: np.stack([seen["pixels"][name] for seen, _ in course.steps]) for name in course.cameras}
    episode = _episode(env, course, pixels=pixels)
    if second_look is None:
        return episode
    again = _second_look(env, episode.visual_state, cameras=course.cameras, seed=seed, every=second_look.every)
    return replace(episode, pixels=pixels | again)


def run_undrawn(
    env: gym.Env,
    policy: Policy,
    *,
    seed: int,
    second_look: SecondLook | None = None,
    options: Mapping[str, Any] | None = None,
) -> Undrawn:
    """Do what `run_episode` does, but for the pictures; only where `may_draw_later` says so."""
    simulator: Any = env.unwrapped
    simulator.pictures_later = True
    try:
        course = _run(env, policy, seed=seed, options=options)
        states, shown = simulator.instants()
    finally:
        simulator.pictures_later = False
    return Undrawn(
        episode=_episode(env, course, pixels={}),
        cameras=course.cameras,
        states=states,
        shown=shown,
        second_look=second_look,
    )


class _Course(NamedTuple):
    """What happened from reset to end."""

    steps: list[tuple[Mapping[str, Any], dict[str, Any]]]
    """Observation and info of each instant."""
    actions: list[Any]
    intended: list[Any]
    """Actions before they were disturbed; empty where the policy does not say."""
    rewards: list[float]
    terminated: bool
    truncated: bool

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self.steps[0][0]["pixels"])


def _run(env: gym.Env, policy: Policy, *, seed: int, options: Mapping[str, Any] | None) -> _Course:
    observation, info = env.reset(seed=seed, options=None if options is None else dict(options))
    policy.reset()
    steps = [(observation, info)]
    actions, intended, rewards = [], [], []
    terminated = truncated = False
    while not (terminated or truncated):
        # simulator truth goes along for state-based baselines; no visual policy reads it
        seen_now = batch_of_one({**observation, "environment_state": info["environment_state"]})
        action = np.asarray(policy.act(seen_now), np.float32).reshape(-1)
        observation, reward, terminated, truncated, info = env.step(action)
        steps.append((observation, info))
        actions.append(action)
        if (wanted := getattr(policy, "intended", None)) is not None:
            intended.append(wanted)
        rewards.append(float(reward))
    return _Course(steps, actions, intended, rewards, bool(terminated), bool(truncated))


def _episode(env: gym.Env, course: _Course, *, pixels: Mapping[str, np.ndarray]) -> Episode:
    steps = course.steps
    simulator: Any = env.unwrapped
    record = simulator.episode_record()
    return Episode(
        pixels=pixels,
        proprio=np.stack([seen["agent_pos"] for seen, _ in steps]).astype(np.float32),
        environment_state=np.stack([info["environment_state"] for _, info in steps]).astype(np.float32),
        visual_state=np.stack([info["visual_state"] for _, info in steps]).astype(np.float32),
        actions=np.stack(course.actions),
        intended_actions=np.stack(course.intended) if course.intended else None,
        rewards=np.asarray(course.rewards, np.float32),
        terminated=course.terminated,
        truncated=course.truncated,
        success=bool(steps[-1][1]["is_success"]),
        goal=np.asarray(record["goal"], np.float32),
        variations={**record["variations"], SOLVED_DRAWS: record["num_solved_draws"]},
        randomization=record.get("randomization"),
        action_scale=record.get("action_scale"),
        environment_state_names=record.get("environment_state_names"),
        **{name: record[name] for name in ("seed", "env_id", "domain", "renderer", "task", "fps_hz")},
    )


def batch_of_one(observation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested observation with a first axis of length 1 on every array, as `Policy.act` takes it."""
    return {
        name: batch_of_one(value) if isinstance(value, Mapping) else np.asarray(value)[None]
        for name, value in observation.items()
    }


def _second_look(
    env: gym.Env, states: Float32[np.ndarray, "L1 X"], *, cameras: tuple[str, ...], seed: int, every: int | None
) -> dict[str, UInt8[np.ndarray, "L1 H W C"]]:
    simulator: Any = env.unwrapped
    segment = np.arange(len(states)) // (every or len(states))  # [L+1] index of the draw that a frame is seen under
    draws = simulator.sample_looks(int(segment[-1]) + 1, seed=seed)  # a stream of its own: not the episode's look
    looks = [draws[index] for index in segment]
    return {name + LOOK2_SUFFIX: simulator.render_states(states, looks=looks, camera=name) for name in cameras}
