"""Reward from features: it pays for coming nearer to the picture of the goal, and for nothing else."""

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


def test_an_expert_earns_by_coming_near(rewards: tuple[list[float], list[float]]) -> None:
    assert 0.3 < sum(rewards[0]) <= 1.0  # even of an encoder that learned nothing


def test_who_stays_earns_nothing(rewards: tuple[list[float], list[float]]) -> None:
    assert sum(rewards[1]) == pytest.approx(0, abs=0.1)


def test_a_start_close_to_the_goal_does_not_earn_many_times_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    distances = iter([1.0, 0.5, 0.01, 0.11])  # a far start and a step, then a start at the goal and a step away
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16)).eval()
    spec = EnvSpec(env_id="robossl/PandaReach-v0", image_size=32, options={"goal_image": True, "renderer": "tiny"})
    with closing(spec.make()) as env:
        rewarded = GoalDistanceReward(env, encoder, "front")
        monkeypatch.setattr(rewarded, "_distance", lambda _: next(distances))
        rewarded.reset(seed=0)
        assert rewarded.step(np.zeros(3, np.float32))[1] == pytest.approx(0.5)
        rewarded.reset(seed=1)
        assert rewarded.step(np.zeros(3, np.float32))[1] == pytest.approx(-0.5)  # a fifth of the far start is the whole
