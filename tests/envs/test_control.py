"""The control envs keep the arms' contract from the outside."""

import hashlib
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from control_envs import DOMAINS, make
from gymnasium.utils.env_checker import check_env

from robossl_envs import CONTROL_IDS
from robossl_envs.control.tasks import TASKS
from robossl_envs.errors import EnvError

WITH_GOAL = [env_id for env_id in CONTROL_IDS if "CartPole" not in env_id]


def replay(env, seed: int, num_steps: int = 5):
    """Return all frames, states and rewards of a short episode of drawn actions."""
    generator = np.random.default_rng(0)
    observation, info = env.reset(seed=seed)
    seen = [(observation["pixels"]["front"], observation["agent_pos"], info["visual_state"])]
    for _ in range(num_steps):
        action = generator.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        observation, reward, _, _, info = env.step(action)
        seen.append((observation["pixels"]["front"], observation["agent_pos"], info["visual_state"], reward))
    return seen


def assert_equal(left, right):
    for one, other in zip(left, right, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("env_id", CONTROL_IDS)
@pytest.mark.parametrize("obs_format", ["nested", "flat", "state", "goal"])
@pytest.mark.parametrize("goal_image", [False, True])
def test_gymnasium_finds_nothing_wrong(env_id, obs_format, goal_image):
    if obs_format == "goal" and env_id not in WITH_GOAL:
        pytest.skip("its goal is always the same")
    env = make(env_id, obs_format=obs_format, image_size=32, goal_image=goal_image, cameras=("front", "side"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checker warns of unbounded boxes
        check_env(env, skip_render_check=True)
    env.close()
    env.close()


@pytest.mark.parametrize("env_id", CONTROL_IDS)
def test_a_seed_replays_bit_equal_after_another_episode_and_in_another_env(env_id):
    first, second = make(env_id, domain="randomized"), make(env_id, domain="randomized")
    expected = replay(first, 3)
    replay(first, 8, num_steps=30)
    assert_equal(expected, replay(first, 3))
    assert_equal(expected, replay(second, 3))
    first.close()
    second.close()


def digest(seed: int) -> str:
    """Return a digest of all that a short episode of each env showed."""
    shown = hashlib.sha256()
    for env_id in CONTROL_IDS:
        env = make(env_id, domain="randomized", image_size=16)
        for row in replay(env, seed):
            for value in row:
                shown.update(np.asarray(value).tobytes())
        env.close()
    return shown.hexdigest()


def test_a_fresh_process_sees_the_same():
    code = f"import runpy; print(runpy.run_path({__file__!r})['digest'](3))"
    tests = Path(__file__).parents[1]  # where a fresh process finds what tests share
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tests)
    assert fresh.stdout.split() == [digest(3)]


@pytest.mark.parametrize("env_id", CONTROL_IDS)
def test_nothing_of_an_episode_with_contacts_is_left_to_the_next(env_id):
    env = make(env_id, domain="randomized", obs_format="state")
    ends = []
    for num_steps in (40, 3, 40, 40):
        observation, _ = env.reset(seed=4)
        for _ in range(num_steps):
            observation, *_ = env.step(np.ones(env.action_space.shape))
        ends.append(observation)
    env.close()
    np.testing.assert_array_equal(ends[0], ends[2])
    np.testing.assert_array_equal(ends[0], ends[3])


@pytest.mark.parametrize("env_id", CONTROL_IDS)
def test_a_seed_starts_alike_in_every_domain_and_unsolved(env_id):
    states = []
    for domain in DOMAINS:
        env = make(env_id, domain=domain, obs_format="state", reward_type="sparse")
        _, info = env.reset(seed=5)
        states.append(dict(zip(env.environment_state_names, info["environment_state"], strict=True)))
        assert not info["is_success"]
        env.close()
    for name in states[0]:
        if "fingertip" not in name:  # the forearm's length is the domain's
            assert states[0][name] == states[1][name] == states[2][name], name


@pytest.mark.parametrize("env_id", CONTROL_IDS)
def test_what_was_drawn_is_recorded_and_lies_in_its_range(env_id):
    env = make(env_id, domain="shifted", obs_format="state", wording="any")
    task = TASKS[env.spec.kwargs["task"]]
    wordings = set()
    for seed in range(25):
        env.reset(seed=seed)
        record = env.episode_record()
        json.dumps(record)
        wordings.add(record["task"])
        for row in task.variations:
            low, high = row.shifted
            assert low <= record["variations"][row.name] <= high
            assert low >= row.randomized[1] or high <= row.randomized[0], row.name
        assert {"light.direction", "camera.front.position_m"} < record["variations"].keys()
    env.close()
    assert record["env_id"] == env_id
    assert wordings == set(task.sentences)


@pytest.mark.parametrize("env_id", CONTROL_IDS)
def test_a_stored_instant_is_drawn_again_and_other_looks_differ(env_id):
    env = make(env_id, domain="randomized")
    seen = replay(env, 1)
    pixels, states = np.stack([row[0] for row in seen]), np.stack([row[2] for row in seen])
    again = env.render_states(states, [env._drawn.look]).astype(int)
    assert (np.abs(again - pixels).max(axis=-1) > 8).mean() < 0.005  # states are stored as float32
    other = env.render_states(states, env.sample_looks(len(states), seed=9))
    assert np.abs(other.astype(int) - again).mean() > 5
    env.close()


@pytest.mark.parametrize("env_id", CONTROL_IDS)
def test_the_goal_image_shows_the_end_of_the_experts_way(env_id):
    env = make(env_id, goal_image=True)
    observation, _ = env.reset(seed=2)
    goal, start = observation["goal"].astype(int), observation["pixels"]["front"]
    expert, done = env.expert(), False
    while not done:
        observation, _, terminated, truncated, _ = env.step(expert.act({}))
        done = terminated or truncated
    assert terminated
    moved = (np.abs(goal - start).max(axis=-1) > 20).sum()
    left = (np.abs(goal - observation["pixels"]["front"]).max(axis=-1) > 20).sum()
    assert left < moved
    np.testing.assert_array_equal(observation["goal"], goal)
    env.close()


@pytest.mark.parametrize("env_id", WITH_GOAL)
@pytest.mark.parametrize("reward_type", ["dense", "sparse"])
def test_hindsight_gives_the_reward_that_the_step_gave(env_id, reward_type):
    env = make(env_id, obs_format="goal", reward_type=reward_type)
    env.reset(seed=0)
    rows = [env.step(env.expert().act({})) for _ in range(25)]
    env.close()
    achieved, desired = (np.stack([row[0][name] for row in rows]) for name in ("achieved_goal", "desired_goal"))
    again = env.compute_reward(achieved, desired, [row[4] for row in rows])
    np.testing.assert_allclose(again, [row[1] for row in rows])
    np.testing.assert_allclose(env.compute_reward(achieved, achieved, {}), 0.0)


@pytest.mark.parametrize("env_id", [*CONTROL_IDS, "robossl/PandaReach-v0"])
@pytest.mark.parametrize("obs_format", ["flat", "state"])
def test_an_env_without_goals_in_its_observation_does_not_pass_for_goal_conditioned(env_id, obs_format):
    env = make(env_id, obs_format=obs_format)
    assert not hasattr(env, "compute_reward")  # by which Stable-Baselines3 tells
    env.close()


@pytest.mark.parametrize("env_id", CONTROL_IDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_action_that_is_not_finite_is_refused_and_one_outside_is_clipped(env_id, bad):
    env = make(env_id, obs_format="state")
    size = env.action_space.shape[0]
    with pytest.raises(EnvError, match=r"call reset\(\) before step"):
        env.step(np.zeros(size))
    env.reset(seed=0)
    with pytest.raises(EnvError, match=rf"an action has {size} finite numbers in \[-1, 1\]"):
        env.step(np.full(size, bad))
    with pytest.raises(EnvError, match=rf"an action has {size} finite numbers"):
        env.step(np.zeros(size + 1))
    seen = []
    for action in (1.0, 7.0):
        env.reset(seed=0)
        seen.append(env.step(np.full(size, action))[0])
    np.testing.assert_array_equal(*seen)
    env.close()
    with pytest.raises(EnvError, match="this env is closed"):
        env.reset(seed=0)


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"domain": "heldout"}, "has no domain 'heldout'.*no second engine: use one of nominal, randomized, shifted"),
        ({"domain": "randomised"}, "unknown domain 'randomised'.*did you mean 'randomized'"),
        ({"cameras": ("frnt",)}, "unknown camera 'frnt'.*front, side.*did you mean 'front'"),
        ({"image_size": 10000}, "image_size is 1 to 2048 px a side, not 10000"),
        ({"obs_format": "flatt"}, "unknown obs_format 'flatt'"),
        ({"obs_format": "goal"}, "has no goal-conditioned form.*use obs_format nested, flat or state"),
        ({"reward_type": "spars"}, "unknown reward_type 'spars'"),
        ({"renderer": "mujoco"}, "unknown renderer 'mujoco': use one of auto, tiny"),
    ],
)
def test_a_wrong_keyword_is_refused_with_what_is_allowed(keywords, text):
    with pytest.raises(EnvError, match=text):
        make("robossl/CartPoleSwingUp-v0", **keywords)


@pytest.mark.parametrize("env_id", CONTROL_IDS)
@pytest.mark.parametrize("domain", DOMAINS)
def test_what_has_to_come_to_the_goal_is_seen(env_id, domain):
    env = make(env_id, domain=domain)
    moving = {"CartPole": "bob", "Reacher": "fingertip", "Ball": "object", "Room": "chassis"}
    names = [body.name for body in env._task.bodies]
    watched = [next(name for key, name in moving.items() if key in env_id)] + ["goal"] * ("goal" in names)
    sizes = []
    for seed in range(6):
        env.reset(seed=seed)
        masks = env.render_views(masks=True)["front"].masks[0]
        sizes.append([int((masks == 2 + names.index(name)).sum()) for name in watched])
    env.close()
    assert np.median(sizes, axis=0).min() >= 12


def test_presets_and_single_rows_of_physics_are_axes_by_their_names():
    env = make("robossl/CartPoleSwingUp-v0", domain="nominal", randomization={"axes": {"cart.mass_kg": [0.7, 0.7]}})
    env.reset(seed=0)
    rows = {row.name: row.nominal for row in env._task.variations}
    values = env.episode_record()["variations"]
    assert {name: values[name] for name in rows} == {**rows, "cart.mass_kg": 0.7}
    env.close()
    masses = {}
    for preset in ("light", "medium", "full"):
        env = make("robossl/CartPoleSwingUp-v0", domain="randomized", obs_format="state", randomization=preset)
        masses[preset] = []
        for seed in range(40):
            env.reset(seed=seed)
            masses[preset].append(env.episode_record()["variations"]["cart.mass_kg"])
        env.close()
    assert np.ptp(masses["light"]) < np.ptp(masses["medium"]) < np.ptp(masses["full"])
    with pytest.raises(EnvError, match=r"unknown axis of randomization 'cart.mass'.*did you mean 'cart.mass_kg'"):
        make("robossl/CartPoleSwingUp-v0", domain="randomized", randomization={"axes": {"cart.mass": True}})
    with pytest.raises(EnvError, match=r"unknown axis of randomization 'distractors'"):
        make("robossl/CartPoleSwingUp-v0", domain="randomized", randomization={"axes": {"distractors": True}})
