"""Behaviour cloning: it learns, it is saved whole, and it refuses what does not fit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from episodes import POINT_ENV, EpisodeList, expert_episodes
from point_env import PointEnv

from robossl.encoders import build_encoder
from robossl.errors import ConfigError, DataError, EncoderError, RobosslError, TrainingError
from robossl.policies.agents import ClonedPolicy, policy_factory
from robossl.policies.behaviour_cloning import BehaviourCloning, CloningRecipe, furthest_action
from robossl.policies.demonstrations import read_demonstrations
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import ExecutionSpec, load_policy, save_policy
from robossl.rollout import EnvSpec, rollout


@pytest.fixture(scope="module")
def source() -> EpisodeList:
    return EpisodeList(expert_episodes(25))


def _network(*, visual: bool, state_dim: int = 0, chunk_length: int = 4) -> PolicyNetwork:
    torch.manual_seed(0)
    encoder = build_encoder("conv", image_size=16, feature_dim=32, widths=(8, 16)) if visual else None
    head = HeadSpec(proprio_dim=4, state_dim=state_dim, action_dim=3, chunk_length=chunk_length, hidden=(128, 128))
    return PolicyNetwork(head, encoder=encoder, cameras=("front",) if visual else ())


def test_a_state_policy_learns_to_reach(source: EpisodeList, tmp_path: Path) -> None:
    demonstrations = read_demonstrations(source, num_demonstrations=25, cameras=(), chunk_length=4, state=True)
    network = _network(visual=False, state_dim=6)
    BehaviourCloning(network, demonstrations, mode="frozen", recipe=CloningRecipe(num_steps=600, batch_size=128)).fit()
    save_policy(network, tmp_path / "policy", execution=ExecutionSpec())
    factory = policy_factory(tmp_path / "policy")
    episodes = list(rollout(EnvSpec(env_id=POINT_ENV, image_size=16), factory, num_episodes=10, seed=1000))
    assert sum(episode.success for episode in episodes) >= 7  # random actions: none


def test_a_second_look_adds_the_same_steps_in_other_colours(source: EpisodeList) -> None:
    episodes = [replace(e, pixels=dict(e.pixels) | {"front_look2": 255 - e.pixels["front"]}) for e in source.episodes]
    arguments = {"num_demonstrations": 3, "cameras": ("front",), "chunk_length": 2}
    plain = read_demonstrations(EpisodeList(episodes), **arguments)
    both = read_demonstrations(EpisodeList(episodes), **arguments, second_look=True)
    assert len(both) == 2 * len(plain)
    assert np.array_equal(both.pixels, np.concatenate([plain.pixels, 255 - plain.pixels]))
    assert np.array_equal(both.chunks, np.concatenate([plain.chunks] * 2))
    assert len(read_demonstrations(source, **arguments, second_look=True)) == len(plain)


def test_the_furthest_action_is_told_in_standard_deviations(source: EpisodeList) -> None:
    demonstrations = read_demonstrations(source, num_demonstrations=6, cameras=(), chunk_length=1)
    actions = demonstrations.chunks[demonstrations.valid]
    actions[:] = 1.0
    actions[0, 2] = -1.0  # one of n: sqrt(n - 1) standard deviations from the mean
    demonstrations.chunks[demonstrations.valid] = actions
    assert furthest_action(demonstrations) == pytest.approx(np.sqrt(len(actions) - 1), rel=1e-3)


def test_an_encoder_that_learns_along_starts_with_standardized_features(source: EpisodeList) -> None:
    demonstrations = read_demonstrations(source, num_demonstrations=6, cameras=("front",), chunk_length=4)
    network = _network(visual=True)
    BehaviourCloning(network, demonstrations, mode="finetuned", recipe=CloningRecipe(num_steps=1))
    with torch.no_grad():
        features = network.features(torch.from_numpy(demonstrations.pixels))
        seen = network.context(features=features, proprio=torch.zeros(len(features), 4), state=None)[:, :32]
    moves = features.std(dim=0) > 0.02 * features.std(dim=0).mean()
    torch.testing.assert_close(seen.mean(dim=0), torch.zeros(32), atol=1e-3, rtol=0)
    torch.testing.assert_close(seen.std(dim=0, correction=0)[moves], torch.ones(int(moves.sum())), atol=1e-2, rtol=0)


@pytest.mark.parametrize("mode", ["frozen", "finetuned", "scratch"])
def test_each_mode_lowers_the_loss_and_only_frozen_leaves_the_encoder_alone(source: EpisodeList, mode: str) -> None:
    demonstrations = read_demonstrations(source, num_demonstrations=6, cameras=("front",), chunk_length=4)
    network = _network(visual=True)
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    losses = []
    recipe = CloningRecipe(num_steps=40, batch_size=32, num_augmentations=2, log_every=39)
    trainer = BehaviourCloning(network, demonstrations, mode=mode, recipe=recipe)
    trainer.fit(on_step=lambda step, metrics: losses.append(metrics["loss"]))
    assert losses[-1] < 0.8 * losses[0]
    same = all(torch.equal(before[name], value) for name, value in network.encoder.state_dict().items())
    assert same == (mode == "frozen")


def test_a_saved_policy_acts_the_same_and_needs_nothing_else(source: EpisodeList, tmp_path: Path) -> None:
    demonstrations = read_demonstrations(source, num_demonstrations=2, cameras=("front",), chunk_length=4)
    network = _network(visual=True)
    BehaviourCloning(network, demonstrations, mode="frozen", recipe=CloningRecipe(num_steps=3, batch_size=8)).fit()
    execution = ExecutionSpec(execution="receding", execute_steps=2)
    save_policy(network, tmp_path / "policy", execution=execution, card_extra={"inputs": {"encoder": "sha256:x"}})
    loaded, loaded_execution = load_policy(tmp_path / "policy")
    assert loaded_execution == execution
    observation = {
        "pixels": {"front": demonstrations.pixels[:5, 0].transpose(0, 2, 3, 1)},
        "agent_pos": demonstrations.proprio[:5],
    }
    first = ClonedPolicy(network, execution).act(observation)
    assert first.shape == (5, 3)
    assert np.abs(first).max() <= 1
    assert np.array_equal(first, ClonedPolicy(loaded, loaded_execution).act(observation))


def test_the_same_seed_fits_the_same_policy(source: EpisodeList) -> None:
    demonstrations = read_demonstrations(source, num_demonstrations=3, cameras=("front",), chunk_length=2)
    weights = []
    for _ in range(2):
        network = _network(visual=True, chunk_length=2)
        recipe = CloningRecipe(num_steps=5, batch_size=8, num_augmentations=1, seed=4)
        BehaviourCloning(network, demonstrations, mode="frozen", recipe=recipe).fit()
        weights.append(network.state_dict())
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_what_does_not_fit_is_refused_by_name(source: EpisodeList, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="num_demonstrations is 26, but the data set holds 25"):
        read_demonstrations(source, num_demonstrations=26, cameras=("front",), chunk_length=1)
    with pytest.raises(DataError, match="no camera 'wrist'; they have front"):
        read_demonstrations(source, num_demonstrations=1, cameras=("wrist",), chunk_length=1)
    with pytest.raises(ConfigError, match="neither expert, play, random nor a policy/ directory"):
        policy_factory(tmp_path)
    with pytest.raises(RobosslError, match=r"no policy at .*policy\.json is missing"):
        load_policy(tmp_path)
    with pytest.raises(EncoderError, match="needs an encoder"):
        PolicyNetwork(HeadSpec(proprio_dim=1, state_dim=0, action_dim=1, chunk_length=1), encoder=None, cameras=("a",))


def test_another_control_rate_is_refused_before_the_robot_moves(tmp_path: Path, monkeypatch: Any) -> None:
    trained_on = {"trained_on": {"fps_hz": 5.0}}
    network = _network(visual=False, state_dim=6)
    save_policy(network, tmp_path / "policy", execution=ExecutionSpec(), card_extra=trained_on)
    monkeypatch.setattr(PointEnv, "metadata", {"render_modes": [], "render_fps": 20})
    with pytest.raises(ConfigError, match="trained at 5 actions a second, but test/Point-v0 takes 20"):
        next(rollout(EnvSpec(env_id=POINT_ENV), policy_factory(tmp_path / "policy"), num_episodes=1, seed=0))


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"action_scale": {"x_m": 0.05, "y_m": 0.05, "z_m": 0.1}}, "1 means x_m 0.05, y_m 0.05, z_m 0.1, but in test/"),
        ({"action_scale": {"x_rad": 0.05, "y_m": 0.05, "z_m": 0.05}}, "1 means x_rad 0.05, y_m 0.05, z_m 0.05"),
        ({"environment_state_names": ["ee_x", "b", "c", "d", "e", "f"]}, "sees the simulator states ee_x, b, c, d, e"),
    ],
)
def test_numbers_of_another_meaning_are_refused_before_the_robot_moves(tmp_path: Path, told: Any, text: str) -> None:
    network = _network(visual=False, state_dim=6)
    save_policy(network, tmp_path, execution=ExecutionSpec(), card_extra={"trained_on": {**told, "image_size": 99}})
    with pytest.raises(ConfigError, match=text):
        next(rollout(EnvSpec(env_id=POINT_ENV), policy_factory(tmp_path), num_episodes=1, seed=0))


def test_actions_in_units_of_their_own_are_given_in_these_and_refused_elsewhere(
    source: EpisodeList, tmp_path: Path
) -> None:
    scaled = EpisodeList([replace(episode, actions=episode.actions * (40, 2, 1) + 5) for episode in source.episodes])
    demonstrations = read_demonstrations(scaled, num_demonstrations=25, cameras=(), chunk_length=1, state=True)
    low, high = demonstrations.action_bounds
    actions = np.concatenate([episode.actions for episode in scaled.episodes])
    assert np.allclose((low, high), (actions.min(axis=0), actions.max(axis=0)))
    spec = replace(_network(visual=False, state_dim=6).spec, chunk_length=1)
    own = replace(spec, action_low=tuple(low.tolist()), action_high=tuple(high.tolist()))
    recipe = CloningRecipe(num_steps=300, batch_size=128)
    network = PolicyNetwork(own, encoder=None, cameras=())
    BehaviourCloning(network, demonstrations, mode="frozen", recipe=recipe).fit()
    save_policy(network, tmp_path, execution=ExecutionSpec())
    loaded, _ = load_policy(tmp_path)
    rows = {"proprio": demonstrations.proprio, "state": demonstrations.environment_state}
    with torch.no_grad():
        given = loaded(pixels=None, **{name: torch.from_numpy(values) for name, values in rows.items()})[:, 0].numpy()
    wanted = demonstrations.chunks[:, 0]
    assert (np.abs(given - wanted).mean(axis=0) < 0.5 * wanted.std(axis=0)).all()
    with pytest.raises(ConfigError, match=r"gives actions from -3\d.* to 4\d.*, in the units .* takes -1 to 1; use it"):
        next(rollout(EnvSpec(env_id=POINT_ENV), policy_factory(tmp_path), num_episodes=1, seed=0))


def test_actions_of_another_scale_than_their_env_s_are_refused(
    source: EpisodeList, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaled = EpisodeList([replace(episode, actions=episode.actions * 40) for episode in source.episodes[:2]])
    monkeypatch.setattr(scaled, "episode_metadata", lambda episode: {"action_scale": {"x_m": 0.03}})
    with pytest.raises(DataError, match="actions reach 40, but their env acts in -1 to 1"):
        read_demonstrations(scaled, num_demonstrations=2, cameras=(), chunk_length=1)


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    save_policy(_network(visual=False, state_dim=6), tmp_path / "policy", execution=ExecutionSpec())
    (tmp_path / "policy" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(RobosslError, match=r"can't read .*model\.safetensors"):
        load_policy(tmp_path / "policy")


def test_a_loss_that_is_not_finite_stops_the_fit(source: EpisodeList) -> None:
    demonstrations = read_demonstrations(source, num_demonstrations=2, cameras=(), chunk_length=2, state=True)
    demonstrations.chunks[:] = np.nan
    trainer = BehaviourCloning(
        _network(visual=False, state_dim=6, chunk_length=2),
        demonstrations,
        mode="frozen",
        recipe=CloningRecipe(num_steps=2, batch_size=4),
    )
    with pytest.raises(TrainingError, match="the cloning loss is nan at step 0"):
        trainer.fit()


def test_the_camera_that_a_policy_sees_must_be_there() -> None:
    policy = ClonedPolicy(_network(visual=True), ExecutionSpec())
    observation = {"pixels": {"wrist": np.zeros((1, 16, 16, 3), np.uint8)}, "agent_pos": np.zeros((1, 4))}
    with pytest.raises(ConfigError, match="sees camera 'front', but the env shows wrist"):
        policy.act(observation)
