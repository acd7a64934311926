"""A cloned policy goes on learning where it stands: nothing it knows is lost before the critic knows anything."""

from typing import Any

import numpy as np
import point_env  # noqa: F401  registers the env
import pytest
import torch
from episodes import POINT_ENV
from small_policy import small_policy

pytest.importorskip("stable_baselines3", reason="needs the extra sb3")

from robossl.policies.agents import ClonedPolicy
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.clone import CRITIC_ROLLOUTS, ClonePpo
from robossl.policies.rl.learner import build_learner, watched
from robossl.policies.rl.recipe import ReinforcementRecipe
from robossl.policies.saving import ExecutionSpec
from robossl.rollout import EnvSpec, batch_of_one

RECIPE = ReinforcementRecipe(way="clone", batch_size=64, rollout_steps=64, critic_hidden=(16, 16), exploration_std=0.5)


def _clone(kind: str, *, visual: bool) -> PolicyNetwork:
    network = small_policy(kind, visual=visual, chunk_length=3, dropout=0.5)
    network.set_statistics("action", torch.tensor([0.1, -0.1, 0.0]), torch.tensor([0.4, 0.3, 0.2]))
    return network.requires_grad_(not visual)


def _learner(network: PolicyNetwork) -> Any:
    network.head.requires_grad_(True)
    env = EnvSpec(env_id=POINT_ENV, image_size=16).make()
    return build_learner(watched(env, network, RECIPE), network, RECIPE)


@pytest.mark.parametrize(("kind", "visual"), [("mlp", False), ("residual", True), ("transformer", False)])
def test_before_it_learns_it_acts_as_the_clone_does(kind: str, visual: bool) -> None:
    network = _clone(kind, visual=visual)
    learner = _learner(network)
    seen, plain = learner.get_env().envs[0], EnvSpec(env_id=POINT_ENV, image_size=16).make()
    shown, _ = seen.reset(seed=3)
    observation, info = plain.reset(seed=3)
    policy = ClonedPolicy(network, ExecutionSpec())
    for _ in range(4):
        wanted, _ = learner.predict(shown, deterministic=True)
        action = policy.act(batch_of_one({**observation, "environment_state": info["environment_state"]}))[0]
        np.testing.assert_allclose(action, wanted, atol=1e-5)
        shown, *_ = seen.step(wanted)
        observation, *_, info = plain.step(wanted)


def test_the_critic_learns_first_and_then_the_head_itself() -> None:
    network = _clone("mlp", visual=False)
    learner = _learner(network)
    assert isinstance(learner, ClonePpo)
    assert learner.policy.log_std.exp().tolist() == pytest.approx([0.5, 0.5, 0.5])
    head = [weight.clone() for weight in network.head.parameters()]
    values = [weight.clone() for weight in learner.policy.value_net.parameters()]
    learner.learn(CRITIC_ROLLOUTS * 64, log_interval=None)
    assert all(torch.equal(old, new) for old, new in zip(head, network.head.parameters(), strict=True))
    assert not torch.equal(values[0], next(iter(learner.policy.value_net.parameters())))
    learner.learn(64, log_interval=None, reset_num_timesteps=False)
    assert any(not torch.equal(old, new) for old, new in zip(head, network.head.parameters(), strict=True))


def test_dropout_stays_off_while_it_learns() -> None:
    learner = _learner(_clone("mlp", visual=False))
    learner.policy.set_training_mode(True)
    context = torch.zeros(2, 10)
    first = learner.policy.action_net(context)
    assert torch.equal(first, learner.policy.action_net(context))
