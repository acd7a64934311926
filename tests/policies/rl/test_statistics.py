"""What a learner sees is standardized with play, whatever its units."""

from typing import Any

import gymnasium as gym
import numpy as np
import point_env  # noqa: F401  registers the env
import pytest
import torch
from episodes import POINT_ENV
from small_policy import small_policy

from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.statistics import measure
from robossl.rollout import EnvSpec


class _FastAndNear(gym.Wrapper):
    """State of two columns: a speed with a deviation of about 7, a place with one of about 0.17."""

    def step(self, action: Any) -> Any:
        *rest, info = self.env.step(action)
        draws = np.random.default_rng(int(1e6 * np.abs(info["environment_state"]).sum())).normal(size=2)
        return *rest, info | {"environment_state": np.array([7.0, 0.17]) * draws}


def _point() -> gym.Env:
    return EnvSpec(env_id=POINT_ENV, image_size=16).make()


def test_metres_beside_speeds_get_their_own_scale() -> None:
    spec = HeadSpec(proprio_dim=4, state_dim=2, action_dim=3, chunk_length=1, kind="sac")
    network = PolicyNetwork(spec, encoder=None, cameras=())
    measure(_FastAndNear(_point()), network, seed=0)
    speed, place = network.get_buffer("state_std").tolist()
    assert speed == pytest.approx(7.0, rel=0.15)
    assert place == pytest.approx(0.17, rel=0.15)


@pytest.mark.parametrize(("kind", "largest"), [("sac", 10.0), ("mlp", 900.0)])
def test_what_play_hardly_moved_stays_within_limits_for_a_reinforced_head(kind: Any, largest: float) -> None:
    network = small_policy(kind, visual=False)
    network.set_statistics("state", torch.zeros(6), torch.full((6,), 1e-3))
    seen = network.context(features=None, proprio=torch.zeros(1, 4), state=torch.full((1, 6), 0.9))
    assert float(seen.max()) == pytest.approx(largest)
