"""A learner that was built anew goes on as the one whose state it was given."""

from pathlib import Path
from typing import Any

import point_env  # noqa: F401  registers the env
import pytest
import torch
from episodes import POINT_ENV
from small_policy import small_policy

pytest.importorskip("stable_baselines3", reason="needs the extra sb3")

from stable_baselines3.common.logger import Logger

from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.checkpoint import learner_state, restore_learner
from robossl.policies.rl.learner import build_learner, watched
from robossl.policies.rl.recipe import ReinforcementRecipe, Way
from robossl.rollout import EnvSpec
from robossl.training import read_state, write_state

REACH = EnvSpec(env_id="robossl/PandaReach-v0", options={"obs_format": "goal", "reward_type": "sparse"})
POINT = EnvSpec(env_id=POINT_ENV, image_size=16)


def _built(way: Way, kind: str, seed: int) -> tuple[Any, PolicyNetwork]:
    env = (REACH if way == "hindsight" else POINT).make()
    network = small_policy(kind, visual=way == "pictures", seed=seed)
    if way == "hindsight":
        joined = env.observation_space["observation"].shape[0]
        spec = HeadSpec(proprio_dim=joined - 6, state_dim=6, action_dim=env.action_space.shape[0], chunk_length=1)
        network = PolicyNetwork(spec, encoder=None, cameras=())
    recipe = ReinforcementRecipe(way=way, num_steps=300, batch_size=16, random_steps=60, seed=seed)
    return build_learner(watched(env, network, recipe), network, recipe), network


def _weights(learner: Any, network: PolicyNetwork) -> list[torch.Tensor]:
    state = {name: part for name, part in learner.get_parameters().items() if "optimizer" not in name}
    return [value.clone() for part in (*state.values(), network.state_dict()) for value in part.values()]


@pytest.mark.filterwarnings("ignore:The last trajectory")
@pytest.mark.parametrize(
    ("way", "kind"), [("context", "sac"), ("context", "ppo"), ("pictures", "sac"), ("hindsight", "sac")]
)
def test_it_takes_the_same_next_step(way: Way, kind: str, tmp_path: Path) -> None:
    learner, network = _built(way, kind, seed=0)
    learner.learn(130, log_interval=None)
    write_state(tmp_path, learner_state(learner, network), fingerprint="as it was")
    if way == "hindsight":  # a restored learner's last episode has ended
        learner.replay_buffer.truncate_last_trajectory()
    if kind == "sac":
        learner.train(2, batch_size=16)
    other, other_network = _built(way, kind, seed=1)
    state = read_state(tmp_path, fingerprint="as it was", device=torch.device("cpu"))
    restore_learner(other, other_network, state, seed=5)
    assert other.num_timesteps == learner.num_timesteps
    if kind == "sac":
        assert other.replay_buffer.size() == learner.replay_buffer.size() == 130
        other.set_logger(Logger(None, []))
        other.train(2, batch_size=16)
    pairs = zip(_weights(learner, network), _weights(other, other_network), strict=True)
    assert all(torch.equal(one, same) for one, same in pairs)
    other.learn(40, log_interval=None, reset_num_timesteps=False)
    assert other.num_timesteps >= learner.num_timesteps + 40
