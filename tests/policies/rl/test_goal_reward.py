"""Reward from features: each step costs how far the picture of the goal still is."""

from contextlib import closing

import numpy as np
import pytest
import torch

from robossl.encoders import build_encoder
from robossl.policies.agents import Scripted
from robossl.policies.rl.goal_reward import GoalDistanceReward
from robossl.rollout import EnvSpec


@pytest.fixture(scope="module")
def rewards() -> tuple[list[float], list[float]]:
    """What an expert and a policy that stays where it is earn, step by step."""
    torch.manual_seed(0)
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16)).eval()
    spec = EnvSpec(env_id="robossl/PandaReach-v0", image_size=32, options={"goal_image": True, "renderer": "tiny"})
    with closing(spec.make()) as env:
        rewarded = GoalDistanceReward(env, encoder, "front")
        expert = Scripted(kind="expert")(env, 0)
        earned: list[float] = []
        observation, _ = rewarded.reset(seed=0)
        ended = False
        while not ended:
            observation, reward, terminated, truncated, _ = rewarded.step(expert.act(observation))
            earned.append(reward)
            ended = terminated or truncated
        rewarded.reset(seed=0)
        stayed = [rewarded.step(np.zeros(3, np.float32))[1] for _ in range(5)]
    return earned, stayed


def test_a_step_costs_less_the_nearer_the_goal_is(rewards: tuple[list[float], list[float]]) -> None:
    earned, stayed = rewards
    assert max(earned + stayed) <= 0  # to end an episode is never a loss
    assert earned[-1] > 0.7 * stayed[-1]  # even of an encoder that learned nothing


def test_who_stays_goes_on_paying_the_same(rewards: tuple[list[float], list[float]]) -> None:
    assert rewards[1] == pytest.approx([-1] * 5, abs=0.1)  # the farthest start so far is this one


def test_the_farthest_start_so_far_is_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    distances = iter([2.0, 1.0, 0.5, 0.1, 4.0, 1.0])  # of three starts, and of a step after each
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16)).eval()
    spec = EnvSpec(env_id="robossl/PandaReach-v0", image_size=32, options={"goal_image": True, "renderer": "tiny"})
    with closing(spec.make()) as env:
        rewarded = GoalDistanceReward(env, encoder, "front")
        monkeypatch.setattr(rewarded, "_distance", lambda _: next(distances))
        for seed, wanted in enumerate([-0.5, -0.05, -0.25]):
            rewarded.reset(seed=seed)
            assert rewarded.step(np.zeros(3, np.float32))[1] == pytest.approx(wanted)
