"""A cloned policy goes on learning from reward: its head is the actor of PPO."""

from math import log
from typing import Any, Self

import gymnasium as gym
import torch
from jaxtyping import Float
from stable_baselines3 import PPO
from torch import Tensor, nn

from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.recipe import ReinforcementRecipe

MAX_KL = 0.02
"""How far an update may move the policy, so that what was cloned is not lost before the critic knows anything."""
CRITIC_ROLLOUTS = 2
"""So many rollouts at first teach the critic alone."""


class ClonedActor(nn.Module):
    """The first action of the head's chunk, in the env's units; shares the head's weights. Dropout stays off."""

    def __init__(self, network: PolicyNetwork) -> None:
        super().__init__()
        self.head = network.head
        self.register_buffer("mean", network.get_buffer("action_mean").clone())
        self.register_buffer("std", network.get_buffer("action_std").clone())

    def forward(self, context: Float[Tensor, "B C"]) -> Float[Tensor, "B A"]:
        """Return the mean actions; the env's bounds cut off what lies outside of them."""
        return self.head(context)[:, 0] * self.get_buffer("std") + self.get_buffer("mean")

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode: with dropout the ratio of old and new policy would be noise."""
        return super().train(False)


class ClonePpo(PPO):
    """Proximal policy optimization whose critic learns alone at first."""

    def train(self) -> None:
        """Update on the last rollout."""
        actor_learns = self.num_timesteps > CRITIC_ROLLOUTS * self.n_steps
        actor: Any = self.policy
        for weight in (*actor.action_net.parameters(), actor.log_std):
            weight.requires_grad_(actor_learns)
        super().train()


def clone_learner(env: gym.Env, network: PolicyNetwork, recipe: ReinforcementRecipe) -> ClonePpo:
    """Return a learner that changes the head of the network in place.

    Args:
        env: shows the context of the head.
        network: a cloned policy with a head that gives one chunk.
        recipe: rates and sizes.
    """
    learner = ClonePpo(
        "MlpPolicy",
        env,
        policy_kwargs={
            "net_arch": {"pi": [], "vf": list(recipe.critic_hidden)},
            "activation_fn": nn.ReLU,
            "log_std_init": log(recipe.exploration_std),
        },
        n_steps=max(recipe.rollout_steps, recipe.batch_size),
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        gamma=recipe.discount,
        target_kl=MAX_KL,
        seed=recipe.seed,
        device="cpu",
    )
    policy: Any = learner.policy
    policy.action_net = ClonedActor(network)
    policy.optimizer = torch.optim.Adam(policy.parameters(), lr=recipe.learning_rate, eps=1e-5)
    return learner
