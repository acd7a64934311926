"""`robossl collect`: roll out a policy and write its episodes as a LeRobot data set."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from robossl.config.collect import CollectConfig
from robossl.config.env import CHOOSABLE, SCRIPTED, randomization
from robossl.data.lerobot import EpisodeWriter, written_behind
from robossl.data.sources import LeRobotSource
from robossl.errors import ConfigError, DataError
from robossl.evaluation.intervals import wilson
from robossl.evaluation.videos import episode_grid
from robossl.policies.agents import env_options, policy_factory
from robossl.rollout import EnvSpec, SecondLook, Workers, rollout
from robossl.runs import Run, digest_path
from robossl.stages.automatic_randomization import AutomaticRandomization, History
from robossl.stages.progress import tracked
from robossl.types import Episode

FPS_HZ = 20
ATTEMPTS_PER_DEMONSTRATION = 5
"""With `only_successful`: give up when fewer than one attempt in so many succeeds."""
HISTORY = "adr.jsonl"
"""In the run directory, with `adr`: the outcome of every attempt, and the ranges that it was drawn from."""
DISTURBED = ("expert", "play")
"""Policies whose actions `noise` and `burst_rate` change."""
SHOWN = 8
"""Episodes in the sample video."""


def collect(config: CollectConfig, *, run: Run) -> dict[str, Any]:
    """Write the episodes that are still missing and return what was collected.

    An episode that is in the data set already is not rolled out again: seeds go on after the last one.

    Raises:
        ConfigError: a value is not allowed.
        DataError: with `only_successful`, hardly any attempt succeeds.
    """
    _check(config)
    writer = EpisodeWriter(config.output, fps_hz=FPS_HZ, robot_type=_robot_type(config.env_id))
    first_seed, present = _first_missing(config, writer)
    shown: list[Episode] = []
    attempts = successes = 0
    automatic, history = _automatic(config), History(run.path / HISTORY)
    if automatic is not None:
        history.replay(automatic, until_seed=first_seed)
    missing = config.num_episodes - present
    spec = _env_spec(config, renderer=_renderer(config, writer))
    if missing > 0:
        _try_env(config, spec)
    with run.time("collect"), closing(_episodes(config, spec, first_seed, missing, automatic, history)) as episodes:
        writes = ((partial(writer.append, _recorded(config, item[0])), item) for item in episodes)
        with closing(written_behind(writes)) as written:
            for episode, attempt in tracked(
                written, description="collect", total=config.num_episodes, completed=present
            ):
                attempts, successes = attempts + attempt, successes + episode.success
                shown = [*shown, episode][:SHOWN]
        writer.finalize()
    if shown:
        video = episode_grid(shown, camera=config.cameras[0])
        run.tracker.log_video("collect/episodes", video, fps_hz=FPS_HZ, step=0)
    result = _result(config, successes=successes, attempts=attempts)
    result |= {} if automatic is None else {"adr": automatic.ranges()}
    # the description alone: the data set itself stays where it is
    meta, inputs = config.output / "meta", result["inputs"]
    run.tracker.log_artifact("episodes", kind="dataset", path=meta, inputs=inputs, digest=result["digest"])
    return result


def _episodes(
    config: CollectConfig,
    spec: EnvSpec,
    first_seed: int,
    missing: int,
    automatic: AutomaticRandomization | None,
    history: History,
) -> Generator[tuple[Episode, int], None, None]:
    """Yield the episodes to keep, each with the number of attempts that it took."""
    if missing <= 0:
        return
    limit = missing * (ATTEMPTS_PER_DEMONSTRATION if config.only_successful else 1)
    attempted = _attempts(config, spec, first_seed, limit, automatic, history)
    found = since = 0
    with closing(attempted):
        for episode in attempted:
            since += 1
            if config.only_successful and not episode.success:
                continue
            found += 1
            yield episode, since
            since = 0
            if found == missing:
                return
    raise DataError(
        f"only {found} of {limit} attempts in {config.env_id} succeeded, {missing} were asked for; "
        f"policy {config.policy!r} is too weak for only_successful"
    )


def _attempts(
    config: CollectConfig,
    spec: EnvSpec,
    first_seed: int,
    limit: int,
    automatic: AutomaticRandomization | None,
    history: History,
) -> Generator[Episode, None, None]:
    """Yield so many episodes, successful or not; with automatic randomization in rounds of the same ranges."""
    policy = policy_factory(config.policy, noise=config.noise, burst_rate=config.burst_rate)
    look = SecondLook(every=config.look_every or None) if config.second_look else None
    seed, last = first_seed, first_seed + limit
    with Workers(config.num_workers) as workers:
        while seed < last:
            end = last if automatic is None else min(last, automatic.round_end(seed))
            options = {} if automatic is None else {one: {"axes": automatic.axes(one)} for one in range(seed, end)}
            episodes = rollout(
                spec,
                policy,
                num_episodes=end - seed,
                seed=seed,
                workers=workers,
                second_look=look,
                reset_options=options,
            )
            with closing(episodes):
                for episode in episodes:
                    if automatic is not None:
                        history.append(automatic, episode.seed, episode.success)
                    yield episode
            seed = end


def _recorded(config: CollectConfig, episode: Episode) -> Episode:
    if config.intended_actions and episode.intended_actions is None:
        raise ConfigError(f"policy {config.policy!r} says no intended_actions in {config.env_id}; leave them out")
    return episode if config.intended_actions else replace(episode, intended_actions=None)


def _env_spec(config: CollectConfig, *, renderer: str) -> EnvSpec:
    return EnvSpec(
        env_id=config.env_id,
        domain=config.domain,
        cameras=config.cameras,
        image_size=config.image_size,
        options=_options(config, renderer),
    )


def _try_env(config: CollectConfig, spec: EnvSpec) -> None:
    """Make the env once, so that what it refuses is said at once and not by a worker that took seconds to start.

    Raises:
        ConfigError: the env can't be made, or the policy does not fit it.
    """
    with closing(spec.make()) as env:
        if config.policy not in SCRIPTED:
            policy_factory(config.policy)(env, config.seed)


def _automatic(config: CollectConfig) -> AutomaticRandomization | None:
    """Return the ranges that grow, if any do.

    Raises:
        ConfigError: the env draws nothing that could.
    """
    if not config.adr:
        return None
    with closing(_env_spec(config, renderer=config.renderer).make()) as env:
        simulator: Any = env.unwrapped
        widest = simulator.growing_axes() if hasattr(simulator, "growing_axes") else {}
    if not widest:
        raise ConfigError(f"adr has no axis to widen in {config.env_id}, domain {config.domain!r}: set randomization")
    return AutomaticRandomization(widest, success=config.adr_success, first_seed=config.seed)


def _options(config: CollectConfig, renderer: str) -> dict[str, Any]:
    """Return the keywords of the env that are asked for; an env of another package may not know them all."""
    steps = {"max_episode_steps": config.max_episode_steps} if config.max_episode_steps else {}
    drawn_by = {"renderer": renderer} if renderer != "auto" else {}
    return steps | drawn_by | randomization(config.randomization, config.axes) | env_options(config.policy)


def _renderer(config: CollectConfig, writer: EpisodeWriter) -> str:
    """Return the renderer to go on with: a data set that was begun with one ends with it."""
    present = {str(record.get("renderer")) for record in writer.extras()} & set(CHOOSABLE)
    return present.pop() if config.renderer == "auto" and len(present) == 1 else config.renderer


def _first_missing(config: CollectConfig, writer: EpisodeWriter) -> tuple[int, int]:
    """Return the seed to go on with, and how many episodes are there."""
    if writer.num_episodes == 0:
        return config.seed, 0
    return int(max(record["seed"] for record in writer.extras())) + 1, writer.num_episodes


def _result(config: CollectConfig, *, successes: int, attempts: int) -> dict[str, Any]:
    source = LeRobotSource(config.output)
    result: dict[str, Any] = {
        "dataset": str(config.output),
        "digest": source.digest,
        "num_episodes": len(source.lengths),
        "num_frames": int(np.sum(source.lengths)),
        "env_id": config.env_id,
        "domain": config.domain,
        "renderer": source.episode_metadata(0).get("renderer"),
        "policy": config.policy,
        "new_attempts": attempts,
        "inputs": {} if config.policy in SCRIPTED else {"policy": digest_path(config.policy)},
    }
    if attempts:
        low, high = wilson(successes, attempts)
        result |= {"success_rate": successes / attempts, "success_interval": [low, high]}
    return result


def _robot_type(env_id: str) -> str:
    name = env_id.rsplit("/", 1)[-1].lower()
    return next((robot for robot in ("panda", "kuka", "xarm") if name.startswith(robot)), "simulated")


def _check(config: CollectConfig) -> None:
    if config.num_episodes < 1:
        raise ConfigError(f"num_episodes is {config.num_episodes}; it must be at least 1")
    if config.max_episode_steps < 0:
        raise ConfigError(f"max_episode_steps is {config.max_episode_steps}; it must be 0 or more")
    if config.adr_success[0] > config.adr_success[1]:
        raise ConfigError(f"adr_success is {config.adr_success}; the first rate must not be above the second")
    if not config.cameras:
        raise ConfigError("cameras is empty; name at least one, for example front")
    if len(set(config.cameras)) < len(config.cameras):
        raise ConfigError(f"cameras names one twice: {', '.join(config.cameras)}")
    if config.image_size % 2:
        raise ConfigError(f"image_size is {config.image_size}; H.264 stores even sizes only")
    if config.noise < 0:
        raise ConfigError(f"noise is {config.noise}; it must be 0 or more")
    for name in ("noise", "burst_rate"):
        if getattr(config, name) > 0 and config.policy not in DISTURBED:
            raise ConfigError(
                f"{name} is {getattr(config, name)}, but only the scripts {' and '.join(DISTURBED)} are disturbed, "
                f"not policy {config.policy!r}; leave {name} out"
            )
    if config.burst_rate > 0 and not config.intended_actions:
        raise ConfigError(
            "burst_rate without intended_actions: policies would imitate the bursts; add intended_actions"
        )
