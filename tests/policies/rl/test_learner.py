"""Learners see what the policy network sees, train what they shall, and hand their actor over exactly."""

from typing import Any

import gymnasium as gym
import numpy as np
import point_env  # noqa: F401  registers the env
import pytest
import torch
from episodes import POINT_ENV
from small_policy import small_policy

pytest.importorskip("stable_baselines3", reason="needs the extra sb3")

from robossl.errors import ConfigError
from robossl.policies.agents import ClonedPolicy
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.extractors import GoalContext, goal_columns
from robossl.policies.rl.learner import build_learner, copy_actor, watched
from robossl.policies.rl.recipe import ReinforcementRecipe
from robossl.policies.rl.statistics import measure
from robossl.policies.saving import ExecutionSpec
from robossl.rollout import EnvSpec, batch_of_one

SMALL: dict[str, Any] = {"num_steps": 200, "batch_size": 16, "random_steps": 20}


def _point() -> gym.Env:
    return EnvSpec(env_id=POINT_ENV, image_size=16).make()


@pytest.mark.parametrize(
    ("way", "kind", "visual", "num_observation_steps"),
    [
        ("context", "sac", False, 1),
        ("context", "ppo", False, 1),
        ("context", "sac", True, 2),
        ("pictures", "sac", True, 2),
    ],
)
def test_the_saved_policy_acts_as_the_learner_did(
    way: Any, kind: str, visual: bool, num_observation_steps: int
) -> None:
    network = small_policy(kind=kind, visual=visual, num_observation_steps=num_observation_steps)
    measure(_point(), network, seed=0)
    recipe = ReinforcementRecipe(way=way, **SMALL)
    learner = build_learner(watched(_point(), network, recipe), network, recipe)
    learner.learn(60, log_interval=None)
    copy_actor(learner, network)
    policy = ClonedPolicy(network, ExecutionSpec())
    seen, plain = watched(_point(), network, recipe), _point()
    shown, _ = seen.reset(seed=3)
    observation, info = plain.reset(seed=3)
    for _ in range(4):
        wanted, _ = learner.predict(shown, deterministic=True)
        action = policy.act(batch_of_one({**observation, "environment_state": info["environment_state"]}))[0]
        np.testing.assert_allclose(action, wanted, atol=1e-5)
        shown, *_ = seen.step(wanted)
        observation, *_, info = plain.step(wanted)


def test_a_frozen_encoder_sees_each_picture_once_and_the_replay_holds_features() -> None:
    network = small_policy(visual=True)
    calls = []
    network.encoder.register_forward_hook(lambda *_: calls.append(1))
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    recipe = ReinforcementRecipe(way="context", **SMALL)
    learner = build_learner(watched(_point(), network, recipe), network, recipe)
    learner.learn(25, log_interval=None)
    assert len(calls) == 25 + 1  # that of the reset
    assert learner.replay_buffer.observations.shape == (200, 1, 8 + 4)
    assert learner.replay_buffer.observations.dtype == np.float32
    assert all(torch.equal(before[name], value) for name, value in network.encoder.state_dict().items())


def test_drq_trains_the_encoder_by_the_critic_alone() -> None:
    network = small_policy(visual=True)
    recipe = ReinforcementRecipe(way="pictures", **(SMALL | {"random_steps": 1000}))
    learner = build_learner(watched(_point(), network, recipe), network, recipe)
    learner.learn(40, log_interval=None)  # random actions alone
    trained = {id(weight) for group in learner.critic.optimizer.param_groups for weight in group["params"]}
    of_actor = {id(weight) for group in learner.actor.optimizer.param_groups for weight in group["params"]}
    eyes = {id(weight) for weight in network.encoder.parameters()}
    assert eyes <= trained
    assert not eyes & of_actor
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    target = [weight.clone() for weight in learner.critic_target.parameters()]
    learner.train(2, batch_size=16)
    assert any(not torch.equal(before[name], value) for name, value in network.encoder.state_dict().items())
    followed = list(learner.critic_target.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(target, followed, strict=True) if old.ndim == 2)


def test_drq_learns_values_of_a_constant_reward() -> None:
    network = small_policy(visual=True)
    recipe = ReinforcementRecipe(way="pictures", **(SMALL | {"random_steps": 1000}), discount=0.0, learning_rate=3e-3)
    learner = build_learner(watched(_point(), network, recipe), network, recipe)
    learner.learn(60, log_interval=None)
    learner.replay_buffer.rewards[:] = -0.7
    learner.train(150, batch_size=16)
    data = learner.replay_buffer.sample(32)
    context = learner.critic.extract_features(data.observations, learner.critic.features_extractor)
    values = learner.critic.q_networks[0](torch.cat([context, data.actions], 1))
    assert float(values.detach().mean()) == pytest.approx(-0.7, abs=0.1)


def test_hindsight_changes_the_goal_within_the_state() -> None:
    env = EnvSpec(env_id="robossl/PandaReach-v0", options={"obs_format": "goal", "reward_type": "sparse"}).make()
    observation, _ = env.reset(seed=0)
    columns = goal_columns(env.unwrapped, goal_size=3)
    network = PolicyNetwork(
        HeadSpec(proprio_dim=len(observation["observation"]) - 6, state_dim=6, action_dim=3, chunk_length=1),
        encoder=None,
        cameras=(),
    )
    see = GoalContext(env.observation_space, network, columns)
    batch = {name: torch.from_numpy(np.asarray(value, np.float32))[None] for name, value in observation.items()}
    np.testing.assert_allclose(see(batch)[0].numpy(), observation["observation"], atol=1e-6)  # its own goal
    told_again = see(batch | {"desired_goal": torch.tensor([[0.1, 0.2, 0.3]])})[0].numpy()
    np.testing.assert_allclose(told_again[-3:], [0.1, 0.2, 0.3])
    np.testing.assert_allclose(told_again[:-3], observation["observation"][:-3], atol=1e-6)
    env.close()


def test_hindsight_needs_a_goal_in_the_state() -> None:
    class Still:
        environment_state_names = ("cart.x", "pole.cos")

    with pytest.raises(ConfigError, match=r"goal\.x, goal\.y, goal\.z.*this one has cart\.x, pole\.cos"):
        goal_columns(Still(), goal_size=3)
    with pytest.raises(ConfigError, match=r"whose goal is one point, 3 numbers.*the goal of this one has 6"):
        goal_columns(Still(), goal_size=6)
