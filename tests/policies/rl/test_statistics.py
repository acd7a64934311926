"""What a learner sees is standardized with play, whatever its units; components are few, equal and tell speeds."""

from typing import Any

import gymnasium as gym
import numpy as np
import point_env  # noqa: F401  registers the env
import pytest
import torch
from episodes import POINT_ENV
from small_policy import small_policy

from robossl.policies.heads import HeadSpec
from robossl.policies.history import History
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.statistics import measure
from robossl.policies.views import views_of
from robossl.rollout import EnvSpec, batch_of_one


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


def test_components_are_white_and_hold_the_change_from_picture_to_picture() -> None:
    network = small_policy(kind="sac", visual=True, num_observation_steps=2, num_components=6)
    env = _point()
    measure(env, network, seed=0)
    history, joined = History(2), []
    for episode in range(20):  # the play that was measured
        observation, _ = env.reset(seed=900_000 + episode)
        play = env.unwrapped.expert(kind="play", seed=900_000 + episode)  # type: ignore[attr-defined]
        history.reset()
        for _ in range(30):
            observation, _, terminated, truncated, _ = env.step(play.act(observation))
            views = views_of(batch_of_one(observation), network.cameras)[0]
            with torch.inference_mode():
                joined.append(history.add(network.encoder(torch.from_numpy(views))[None].numpy()).ravel())
            if terminated or truncated:
                break
    features = torch.from_numpy(np.stack(joined))
    nothing = torch.zeros(len(features), network.spec.proprio_dim)
    seen = network.context(features=features, proprio=nothing, state=None)[:, :6]
    assert network.context_dim == 6 + network.spec.proprio_dim
    torch.testing.assert_close(seen.T @ seen / len(seen), torch.eye(6), atol=1e-3, rtol=0)
