"""The learning of `robossl reinforce`, from check to check; a run that was stopped goes on after its last one."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import gymnasium as gym
import torch

from robossl.config.later import without_later
from robossl.config.load import dump_values
from robossl.config.reinforce import ReinforceConfig
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.checkpoint import learner_state, restore_learner
from robossl.policies.rl.goal_reward import GoalDistanceReward
from robossl.policies.rl.greedy import greedy_success
from robossl.policies.rl.recipe import ReinforcementRecipe
from robossl.policies.rl.statistics import measure
from robossl.rollout import EnvSpec
from robossl.runs import Run, fingerprint
from robossl.stages.progress import progress_bar
from robossl.training import read_state, restore_random, write_state

Curve = list[tuple[int, int, float]]
"""Env steps, episodes and success of each check."""
CHECK_SEED = 2_000_000
"""First seed of the episodes that training is stopped by; the final score has others."""
FREE = ("output", "encoder", "policy", "tracking", "num_workers", "num_eval_episodes", "device")
"""Settings that learning does not depend on; what was read has digests."""


def learn(
    env: gym.Env,
    network: PolicyNetwork,
    recipe: ReinforcementRecipe,
    *,
    spec: EnvSpec,
    config: ReinforceConfig,
    inputs: Mapping[str, str],
    run: Run,
) -> Curve:
    """Fill the network, and return what the checks found.

    Args:
        env: to learn in, of `spec`.
        network: on the CPU, before and after.
        recipe: which learner, and on which device.
        spec, config: which envs to check in, and how long to learn.
        inputs: digests of what was read.
        run: keeps a checkpoint of the last check.

    Raises:
        TrainingError: the checkpoint is damaged, or was made with other settings or inputs.
    """
    from robossl.policies.rl.learner import build_learner, copy_actor, watched

    decides = {name: value for name, value in without_later(dump_values(config)).items() if name not in FREE}
    key = fingerprint([decides, dict(inputs)])
    state = read_state(run.checkpoints, fingerprint=key, device=torch.device("cpu"))
    curve: Curve = state["curve"] if state else []
    run.tracker.cut_back(curve[-1][0] + 1 if curve else 0)
    with ExitStack() as stack:
        played_in = stack.enter_context(closing(nested(spec).make()))
        num_played = 0
        if state:
            num_played = state["num_played"]
        elif config.policy is None:
            num_played = measure(played_in, network, seed=config.seed)
        network.to(recipe.device)
        learner = build_learner(watched(_rewarded(env, network, config), network, recipe), network, recipe)
        if state:
            restore_learner(learner, network, state["learner"], seed=config.seed + curve[-1][0])
            restore_random(state)  # building the learner has seeded them

        def keep() -> None:
            run.tracker.log(curve[-1][0], {f"success/{config.domain}": curve[-1][2]})
            kept = {"curve": curve, "num_played": num_played, "learner": learner_state(learner, network)}
            write_state(run.checkpoints, kept, fingerprint=key)

        tested_in = stack.enter_context(closing(spec.make())) if config.hindsight else played_in
        _train(learner, watched(tested_in, network, recipe), config, curve, num_played=num_played, on_check=keep)
    if recipe.way != "clone":  # else the learner changed the network itself
        copy_actor(learner, network)
    network.cpu()
    return curve


def nested(spec: EnvSpec) -> EnvSpec:
    """Return the env whose observations are nested, as policies see it."""
    kept = {name: value for name, value in spec.options.items() if name not in ("obs_format", "reward_type")}
    return replace(spec, options=kept)


def _rewarded(env: gym.Env, network: PolicyNetwork, config: ReinforceConfig) -> gym.Env:
    return env if config.reward == "env" else GoalDistanceReward(env, network)


def _train(
    learner: Any,
    tests: gym.Env,
    config: ReinforceConfig,
    curve: Curve,
    *,
    num_played: int,
    on_check: Callable[[], None],
) -> None:
    """Learn from check to check, which the curve gets, until one is passed or the budget is spent."""
    with progress_bar() as progress:
        task = progress.add_task("reinforce", total=config.num_steps, completed=curve[-1][0] if curve else num_played)

        def advance(*_: Any) -> bool:
            progress.advance(task)
            return True

        while (left := config.num_steps - num_played - learner.num_timesteps) > 0:
            if curve and curve[-1][2] >= config.stop_at:
                break
            steps = min(config.check_every, left)
            learner.learn(steps, callback=advance, log_interval=None, reset_num_timesteps=False)
            rate = greedy_success(learner, tests, num_episodes=config.num_check_episodes, first_seed=CHECK_SEED)
            curve.append((num_played + learner.num_timesteps, config.num_check_episodes, rate))
            on_check()
