"""An episode starts again from its record, and goes on bit-equal: states and pictures."""

import hashlib
import json
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs import CONTROL_IDS
from robossl_envs.errors import EnvError

IDS = ("robossl/PandaPush-v0", "robossl/XArmPickAndPlace-v0", "robossl/PandaDrawerOpening-v0", *CONTROL_IDS)


def make(env_id: str, **keywords):
    return gym.make(f"robossl_envs:{env_id}", **{"domain": "randomized", "image_size": 32, **keywords}).unwrapped


def drawn_actions(env, num_steps: int = 25) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (num_steps, *env.action_space.shape)).astype(np.float32)


def play(env, actions, **reset) -> list[np.ndarray]:
    """Return every picture, proprio and state of an episode."""
    observation, info = env.reset(**reset)
    seen = []
    for action in (*actions, None):
        seen += [*observation["pixels"].values(), observation["agent_pos"], info["visual_state"]]
        seen += [observation["goal"]] if "goal" in observation else []
        if action is not None:
            observation, _, _, _, info = env.step(action)
    return seen


def assert_same(first, second) -> None:
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("env_id", IDS)
def test_full_episodes_replay_from_their_records_in_another_env(env_id):
    env, other = (make(env_id, randomization="full", goal_image=True) for _ in range(2))
    actions = drawn_actions(env)
    other.reset(seed=50)
    for seed in (3, 4):
        seen = play(env, actions, seed=seed)
        record = json.loads(json.dumps(env.episode_record()))
        assert_same(seen, play(other, actions, seed=99, options={"record": record}))
        assert json.loads(json.dumps(other.episode_record())) == record
        assert_same(seen, play(env, actions, options={"record": record}))
    env.close()
    other.close()


def test_a_record_holds_values_and_not_only_a_seed():
    env = make("robossl/PandaPush-v0", randomization="full")
    play(env, drawn_actions(env, 3), seed=0)
    record = json.loads(json.dumps(env.episode_record()))
    record["variations"] |= {"object.mass_kg": 0.777, "table.rgb": [0.1, 0.2, 0.3], "action_delay": 0.02}
    env.reset(options={"record": record})
    again = env.episode_record()["variations"]
    assert again["object.mass_kg"] == 0.777
    assert again["table.rgb"] == [0.1, 0.2, 0.3]
    assert again["action_delay"] == 0.02
    env.close()


@pytest.mark.parametrize("domain", ["nominal", "shifted", "heldout"])
def test_other_domains_replay_too(domain):
    env = make("robossl/PandaPush-v0", domain=domain)
    actions = drawn_actions(env, 5)
    seen = play(env, actions, seed=2)
    record = env.episode_record()
    env.reset(seed=8)
    assert_same(seen, play(env, actions, options={"record": record}))
    env.close()


def digest(record: str) -> str:
    """Return a digest of all that the episode of a record shows."""
    env = make("robossl/PandaPush-v0", randomization="full")
    shown = hashlib.sha256()
    for value in play(env, drawn_actions(env), options={"record": json.loads(record)}):
        shown.update(value.tobytes())
    env.close()
    return shown.hexdigest()


def test_a_fresh_process_replays_the_same():
    env = make("robossl/PandaPush-v0", randomization="full")
    env.reset(seed=6)
    record = json.dumps(env.episode_record())
    env.close()
    code = f"import runpy, sys; print(runpy.run_path({__file__!r})['digest'](sys.stdin.read()))"
    fresh = subprocess.run([sys.executable, "-c", code], input=record, capture_output=True, text=True, check=True)
    assert fresh.stdout.split() == [digest(record)]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"env_id": "robossl/PandaReach-v0"}, "record is of robossl/PandaReach-v0.*this env is robossl/PandaPush-v0"),
        ({"domain": "heldout"}, "in domain 'heldout'.*make the env of the record"),
        ({"renderer": "chalk"}, "drawn by renderer 'chalk', this env has '(gl|tiny)'"),
        ({"variations": {}}, "the record has no value"),
    ],
)  # fmt: skip
def test_a_record_that_does_not_fit_is_refused(change, text):
    env = make("robossl/PandaPush-v0", renderer="tiny")
    env.reset(seed=0)
    with pytest.raises(EnvError, match=text):
        env.reset(options={"record": {**env.episode_record(), **change}})
    env.close()


@pytest.mark.parametrize("env_id", ["robossl/PandaPush-v0", "robossl/BallOnPlate-v0"])
def test_options_of_reset_are_checked(env_id):
    env = make(env_id)
    with pytest.raises(EnvError, match=r"unknown option of reset 'recrd'.*did you mean 'record'"):
        env.reset(options={"recrd": {}})
    with pytest.raises(EnvError, match="the record lacks env_id, domain, variations"):
        env.reset(options={"record": {"seed": 1}})
    with pytest.raises(EnvError, match=r"unknown axis of randomization 'blurr'.*did you mean 'blur'"):
        env.reset(options={"axes": {"blurr": True}})
    env.reset(options={"axes": {"blur": [0.01, 0.01]}})
    assert env.episode_record()["variations"]["blur"] == 0.01
    env.close()


def test_a_record_and_other_axes_at_once_are_refused():
    env = make("robossl/PandaReach-v0", obs_format="state")
    env.reset(seed=0)
    with pytest.raises(EnvError, match="one of the options 'record' and 'axes'"):
        env.reset(options={"record": env.episode_record(), "axes": {"mass": False}})
    env.close()


@pytest.mark.parametrize("domain", ["heldout", "heldout_hard"])
def test_frozen_domains_refuse_other_axes_for_one_episode_too(domain):
    env = make("robossl/PandaReach-v0", domain=domain, obs_format="state")
    for axes in ({"mass": [0.5, 2.0]}, {"action_delay": False}, {"camera_position": True}, {}):
        with pytest.raises(EnvError, match=f"option 'axes' is .*domain '{domain}' is frozen.*'randomized'"):
            env.reset(seed=0, options={"axes": axes})
    env.reset(seed=0, options={"axes": None})
    env.close()
