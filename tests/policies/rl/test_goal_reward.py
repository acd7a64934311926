"""Reward from features: each step costs how far the picture of the goal still is."""

from contextlib import closing

import numpy as np
import pytest
import torch

from robossl.encoders import build_encoder
from robossl.policies.agents import Scripted
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.goal_reward import GoalDistanceReward
from robossl.policies.rl.statistics import measure
from robossl.rollout import EnvSpec


@pytest.fixture(scope="module")
def rewards() -> tuple[list[float], list[float]]:
    """What an expert and a policy that stays where it is earn, step by step."""
    torch.manual_seed(0)
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16))
    head = HeadSpec(proprio_dim=4, state_dim=0, action_dim=3, chunk_length=1, hidden=(8,), kind="sac")
    network = PolicyNetwork(head, encoder=encoder, cameras=("front",)).eval()
    spec = EnvSpec(env_id="robossl/PandaReach-v0", image_size=32, options={"goal_image": True, "renderer": "tiny"})
    with closing(spec.make()) as env:
        measure(env, network, seed=0)
        rewarded = GoalDistanceReward(env, network)
        expert = Scripted(kind="expert")(env, 0)
        earned: list[float] = []
        observation, _ = rewarded.reset(seed=0)
        ended = False
        while not ended:
            observation, reward, terminated, truncated, _ = rewarded.step(expert.act(observation))
            earned.append(float(reward))
            ended = terminated or truncated
        rewarded.reset(seed=0)
        stayed = [float(rewarded.step(np.zeros(3, np.float32))[1]) for _ in range(5)]
    return earned, stayed


def test_a_step_costs_less_the_nearer_the_goal_is(rewards: tuple[list[float], list[float]]) -> None:
    earned, stayed = rewards
    assert max(earned + stayed) <= 0  # to end an episode is never a loss
    assert earned[-1] > 0.7 * stayed[-1]  # even of an encoder that learned nothing


def test_who_stays_goes_on_paying_the_same(rewards: tuple[list[float], list[float]]) -> None:
    assert rewards[1] == pytest.approx([rewards[1][0]] * 5, rel=0.1)


def test_two_pictures_that_have_nothing_to_do_with_each_other_are_1_apart(
    rewards: tuple[list[float], list[float]],
) -> None:
    assert 0.3 < -rewards[1][0] < 3
