"""Learners of Stable-Baselines3 on a policy network, and what they learned as a policy of ours."""

from typing import Any

import gymnasium as gym
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.logger import Logger
from stable_baselines3.her import HerReplayBuffer
from torch import nn

from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.clone import clone_learner
from robossl.policies.rl.drq import Drq
from robossl.policies.rl.extractors import GoalContext, PictureContext, goal_columns
from robossl.policies.rl.recipe import ReinforcementRecipe
from robossl.policies.rl.seen import SeenContext, SeenPictures


def watched(env: gym.Env, network: PolicyNetwork, recipe: ReinforcementRecipe) -> gym.Env:
    """Return the env as the learner of this recipe sees it; for hindsight that is the goal-conditioned env itself."""
    match recipe.way:
        case "context" | "clone":
            return SeenContext(env, network)
        case "pictures":
            return SeenPictures(env, network)
        case "hindsight":
            return env


def build_learner(env: gym.Env, network: PolicyNetwork, recipe: ReinforcementRecipe) -> Any:
    """Return a learner of Stable-Baselines3, which writes no logs of its own; `network.spec.kind` says which.

    Args:
        env: watched.
        network: its statistics are set, and it is on the recipe's device; its head is not trained, `copy_actor` fills
            it.
        recipe: rates and sizes.
    """
    learner = clone_learner(env, network, recipe) if recipe.way == "clone" else _fresh_learner(env, network, recipe)
    learner.set_logger(Logger(folder=None, output_formats=[]))  # else each call of `learn` makes a folder in /tmp
    return learner


def _fresh_learner(env: gym.Env, network: PolicyNetwork, recipe: ReinforcementRecipe) -> Any:
    hidden = list(network.spec.hidden)
    common: dict[str, Any] = {
        "learning_rate": recipe.learning_rate,
        "gamma": recipe.discount,
        "batch_size": recipe.batch_size,
        "seed": recipe.seed,
        "device": recipe.device,
    }
    if network.spec.kind == "ppo":
        nets = {"net_arch": {"pi": hidden, "vf": hidden}, "activation_fn": nn.ReLU}
        return PPO("MlpPolicy", env, policy_kwargs=nets, n_steps=max(recipe.rollout_steps, recipe.batch_size), **common)
    common |= {
        "buffer_size": recipe.num_steps,
        "tau": recipe.target_rate,
        "learning_starts": recipe.random_steps,
        "train_freq": recipe.update_every,
        "ent_coef": "auto_0.1",  # the temperature that DrQ starts with; rewards of metres drown in one of 1 for long
    }
    match recipe.way:
        case "context":
            return SAC("MlpPolicy", env, policy_kwargs={"net_arch": hidden}, **common)
        case "hindsight":
            space: Any = env.observation_space
            columns = goal_columns(env.unwrapped, goal_size=space["desired_goal"].shape[0])
            return SAC(
                "MultiInputPolicy",
                env,
                policy_kwargs=_seeing(GoalContext, hidden, network=network, columns=columns),
                replay_buffer_class=HerReplayBuffer,
                replay_buffer_kwargs={"n_sampled_goal": 4},
                **common,
            )
        case "pictures":
            seeing = _seeing(PictureContext, hidden, network=network)
            return Drq(
                "MultiInputPolicy",
                env,
                network=network,
                shift_px=recipe.shift_px,
                encoder_learning_rate=recipe.encoder_learning_rate,
                layer_decay=recipe.layer_decay,
                policy_kwargs=seeing,
                **common,
            )


def _seeing(extractor: type, hidden: list[int], **arguments: Any) -> dict[str, Any]:
    return {
        "net_arch": hidden,
        "normalize_images": False,  # the encoder does
        "features_extractor_class": extractor,
        "features_extractor_kwargs": arguments,
    }


@torch.no_grad()
def copy_actor(learner: Any, network: PolicyNetwork) -> None:
    """Copy what the learner's actor does at its mean into the network's head."""
    policy = learner.policy
    if network.spec.kind == "ppo":
        hidden, mean = policy.mlp_extractor.policy_net, policy.action_net
    else:
        hidden, mean = policy.actor.latent_pi, policy.actor.mu
    network.head.get_submodule("hidden").load_state_dict(hidden.state_dict())
    network.head.get_submodule("mean").load_state_dict(mean.state_dict())
