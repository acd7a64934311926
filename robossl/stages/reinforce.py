"""`robossl reinforce`: learn a policy from reward, and save it as one that was cloned is saved."""

import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from robossl.config.env import EVALUATION_SEED, randomization
from robossl.config.reinforce import ReinforceConfig
from robossl.encoders import Encoder
from robossl.evaluation.success import SuccessCell, outcome_of, success_table
from robossl.evaluation.worlds import changes_of
from robossl.policies.agents import policy_factory
from robossl.policies.augment import check_shift
from robossl.policies.demonstrations import GOAL_VIEW
from robossl.policies.fitting import check_fits, frame_side_px
from robossl.policies.heads import HeadSpec
from robossl.policies.lora import add_lora, merge_lora
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.recipe import ReinforcementRecipe, Way
from robossl.policies.saving import ExecutionSpec, load_policy, load_policy_card, save_policy
from robossl.rollout import EnvSpec, rollout
from robossl.runs import Run, digest_path
from robossl.stages.encoders import RANDOM, open_encoder, warn_of_new_cameras
from robossl.stages.progress import tracked
from robossl.stages.reinforce_checks import (
    check_clone,
    check_clone_seeds,
    check_config,
    check_first_episode,
    check_image_size,
    require_learners,
)
from robossl.stages.reinforce_learning import Curve, learn, nested
from robossl.training import pick_device

STATE = "state"
DEFAULT_ENV = "robossl/PandaReach-v0"


def reinforce(config: ReinforceConfig, *, run: Run) -> dict[str, Any]:
    """Learn until the budget is spent or a check is passed, save the policy to the run's `policy/` and score it once.

    Raises:
        ConfigError: values that do not go together, a device that is not there, an env that does not fit the encoder,
            or no Stable-Baselines3.
    """
    check_config(config)
    cloned_on = {} if config.policy is None else load_policy_card(config.policy).get("trained_on", {})
    check_clone_seeds(cloned_on.get("seeds", ()), config)
    config = replace(config, env_id=config.env_id or cloned_on.get("env_id") or DEFAULT_ENV)
    recipe = _recipe(config)
    clone, encoder, inputs = _open(config)
    cameras = config.cameras if clone is None else clone.cameras
    spec = _env_spec(config, cameras, image_size=_image_size(config, encoder, cloned_on))
    require_learners()
    with torch.random.fork_rng(), closing(_shortened(spec, config.learning_episode_steps).make()) as env:
        torch.manual_seed(config.seed)
        if encoder is not None and config.mode == "lora":
            add_lora(encoder, rank=config.lora_rank)
        network = clone or _build(env, encoder, config)
        if config.policy is not None:
            check_fits(network, env, config.policy)
        check_first_episode(config, env)
        env.reset(seed=config.seed)
        record = env.unwrapped.episode_record()  # type: ignore[attr-defined]
        with run.time("reinforce"):
            curve = learn(env, network, recipe, spec=spec, config=config, inputs=inputs, run=run)
    if network.encoder is not None:
        merge_lora(network.encoder)
    save_policy(
        network,
        run.policy,
        execution=ExecutionSpec(),
        card_extra={
            "trained_on": _trained_on(record, spec, cloned_on),
            "inputs": inputs,
            "mode": config.mode,
            "encoder": _encoder_name(config),
        },
    )
    run.tracker.log_artifact("policy", kind="policy", path=run.policy, inputs=inputs)
    with run.time("evaluate"):
        cell = _score(config, spec, run)
    shutil.rmtree(run.checkpoints, ignore_errors=True)  # all that was seen: up to gigabytes
    return {
        "tables": [success_table([cell], title=f"Success of {run.policy} in {config.env_id}"), _curve_table(curve)],
        "policy": str(run.policy),
        "env_id": config.env_id,
        "env_steps": curve[-1][0],
        "curve": curve,
        "domains": {cell.domain: cell.as_json()},
        "inputs": inputs,
    }


def _trained_on(record: Mapping[str, Any], spec: EnvSpec, cloned_on: Mapping[str, Any]) -> dict[str, Any]:
    """Return what evaluation needs to know; of a clone also its demonstrations, whose seeds it must not meet."""
    told = ("fps_hz", "action_scale", "environment_state_names")
    return {
        **({"seeds": cloned_on["seeds"]} if "seeds" in cloned_on else {}),
        "env_id": spec.env_id,
        "domains": sorted({*cloned_on.get("domains", ()), spec.domain}),
        "renderers": sorted({*cloned_on.get("renderers", ()), record["renderer"]}),
        "image_size": spec.image_size,
        **{name: record[name] for name in told if name in record},
    }


def _score(config: ReinforceConfig, spec: EnvSpec, run: Run) -> SuccessCell:
    """Return the success of the saved policy, on episodes that nothing was chosen by."""
    episodes = rollout(
        nested(spec),
        policy_factory(run.policy),
        num_episodes=config.num_eval_episodes,
        seed=EVALUATION_SEED,
        num_workers=config.num_workers,
    )
    with closing(episodes):
        shown = tracked(episodes, description=f"evaluate, {config.domain}", total=config.num_eval_episodes)
        outcomes = tuple(outcome_of(episode) for episode in shown)
    return SuccessCell(policy=str(run.policy), domain=config.domain, outcomes=outcomes, changes=changes_of(spec))


def _open(config: ReinforceConfig) -> tuple[PolicyNetwork | None, Encoder | None, dict[str, str]]:
    """Return the clone to go on from, the encoder, and digests of what was read; what is not there is None."""
    if config.policy is not None:
        clone, execution = load_policy(config.policy)
        check_clone(clone, execution, config)
        if clone.encoder is not None:
            clone.encoder.requires_grad_(False)
        return clone, clone.encoder, {"policy": digest_path(config.policy)}
    if config.encoder == STATE:
        return None, None, {}
    name = RANDOM if config.mode == "scratch" else config.encoder
    encoder, digest = open_encoder(name, architecture=config.architecture, seed=config.seed)
    if config.mode != "frozen":
        check_shift(config.shift_px, encoder.image_size)
    warn_of_new_cameras(name, [camera for camera in config.cameras if camera != GOAL_VIEW])
    encoder.requires_grad_(config.mode != "frozen")
    return None, encoder, {"encoder": digest}


def _encoder_name(config: ReinforceConfig) -> str:
    if config.policy is not None:
        return str(load_policy_card(config.policy).get("encoder", ""))
    return RANDOM if config.mode == "scratch" else config.encoder


def _image_size(config: ReinforceConfig, encoder: Encoder | None, cloned_on: Mapping[str, Any]) -> int:
    """Return the side of the env's frames [px]: for a clone that of its demonstrations, which `check_fits` compares."""
    if trained_px := frame_side_px(cloned_on):
        return config.image_size or trained_px
    return check_image_size(config.image_size, encoder)


def _env_spec(config: ReinforceConfig, cameras: tuple[str, ...], *, image_size: int) -> EnvSpec:
    options: dict[str, Any] = {} if config.renderer == "auto" else {"renderer": config.renderer}
    options |= randomization(config.randomization, config.axes)
    if GOAL_VIEW in cameras or config.reward == "goal_distance":
        options["goal_image"] = True
    if config.hindsight:
        options |= {"obs_format": "goal", "reward_type": "sparse"}
    return EnvSpec(
        env_id=config.env_id,
        domain=config.domain,
        cameras=tuple(name for name in cameras if name != GOAL_VIEW) or ("front",),
        image_size=image_size,
        options=options,
    )


def _shortened(spec: EnvSpec, num_steps: int) -> EnvSpec:
    """Return the env with episodes of at most so many steps; 0: the task's own."""
    return replace(spec, options={**spec.options, "max_episode_steps": num_steps}) if num_steps else spec


def _build(env: gym.Env, encoder: Encoder | None, config: ReinforceConfig) -> PolicyNetwork:
    simulator: Any = env.unwrapped
    proprio_dim = _proprio_dim(env, state_dim=len(simulator.environment_state_names))
    spec = HeadSpec(
        proprio_dim=proprio_dim if config.proprio else 0,
        state_dim=len(simulator.environment_state_names) if encoder is None else 0,
        action_dim=int(np.prod(env.action_space.shape or ())),
        chunk_length=1,
        hidden=config.hidden,
        kind=config.algorithm,
        num_observation_steps=config.num_observation_steps,
    )
    return PolicyNetwork(spec, encoder=encoder, cameras=() if encoder is None else config.cameras).eval()


def _proprio_dim(env: gym.Env, *, state_dim: int) -> int:
    spaces: Any = env.observation_space
    if "agent_pos" in spaces.spaces:
        return int(spaces["agent_pos"].shape[0])
    return int(spaces["observation"].shape[0]) - state_dim  # goal-conditioned: proprio and truth are joined


def _recipe(config: ReinforceConfig) -> ReinforcementRecipe:
    chosen = pick_device(config.device)
    names = ReinforcementRecipe.__dataclass_fields__.keys() - {"way", "critic_hidden", "device"}
    settings = {name: getattr(config, name) for name in names}
    if config.mode == "scratch":
        settings["encoder_learning_rate"] = config.learning_rate
    device = "cpu" if config.mode == "frozen" else str(chosen)
    return ReinforcementRecipe(way=_way(config), critic_hidden=config.hidden, device=device, **settings)


def _way(config: ReinforceConfig) -> Way:
    if config.policy is not None:
        return "clone"
    if config.hindsight:
        return "hindsight"
    return "context" if config.mode == "frozen" else "pictures"


def _curve_table(curve: Curve) -> dict[str, Any]:
    return {
        "title": "Success of the greedy policy while it learned",
        "columns": ["env_steps", "n", "success_rate"],
        "rows": [list(row) for row in curve],
        "note": "On the same episodes at each check; they are not those of the final score.",
    }
