"""The axes of physics do what their names say, and leave nothing behind for the next episode."""

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs.quiet_pybullet import pybullet


def make(env_id: str = "robossl/PandaLift-v0", **axes):
    asked = {"axes": {name: [value, value] for name, value in axes.items()}}
    return gym.make(f"robossl_envs:{env_id}", domain="nominal", obs_format="state", randomization=asked).unwrapped


def dropped_m(env, *, from_m: float = 0.2, num_steps: int = 14) -> np.ndarray:
    """Return the heights of an object that is let fall."""
    env.reset(seed=0)
    at_m = env._simulation.body_pose("object")[0]
    env._simulation.set_body_pose("object", np.array([0.7, 0.3, from_m]))
    heights = [from_m]
    for _ in range(num_steps):
        env.step(np.zeros(env.action_space.shape))
        heights.append(float(env._simulation.body_pose("object")[0][2]))
    assert at_m[2] < from_m
    env.close()
    return np.array(heights)


def test_things_bounce_fall_and_slow_down_as_drawn() -> None:
    usual = dropped_m(make())
    bouncing, heavy, damped = (
        dropped_m(make(restitution=0.8)),
        dropped_m(make(gravity=15.0)),
        dropped_m(make(damping=99.0)),
    )
    landed = int(np.argmin(usual > 0.05))
    assert bouncing[landed:].max() > usual[landed:].max() + 0.01
    assert heavy[2] < usual[2] < damped[2]


def test_pushes_move_what_they_push() -> None:
    ends = {}
    for name, axes in {"none": {}, "object": {"object_push": 15.0}, "hand": {"arm_push": 0.05}}.items():
        env = make("robossl/PandaPush-v0", **axes)
        env.reset(seed=0)
        for _ in range(30):
            env.step(np.zeros(3))
        ends[name] = env._simulation.body_pose("object")[0], env._robot.end_effector_position(env._simulation)
        env.close()
    assert np.linalg.norm(ends["object"][0] - ends["none"][0]) > 0.01
    assert np.linalg.norm(ends["hand"][1] - ends["none"][1]) > 0.001
    np.testing.assert_allclose(ends["hand"][0], ends["none"][0], atol=1e-4)


def test_a_damped_drawer_rolls_less_far() -> None:
    openings = []
    for damping in (0.01, 99.0):
        env = make("robossl/PandaDrawerOpening-v0", damping=damping)
        env.reset(seed=0)
        joint = env._simulation._articulated["drawer"]
        pybullet.resetJointState(joint._body, 0, 0.0, 0.5, physicsClientId=env._simulation.client)
        env.step(np.zeros(3))
        openings.append(joint.position)
        env.close()
    assert openings[1] < 0.8 * openings[0]


def test_a_delayed_arm_starts_later_and_goes_as_far() -> None:
    xs = []
    for delay_s in (0.0, 0.1):
        env = make("robossl/PandaReach-v0", action_delay=delay_s)
        env.reset(seed=0)
        way = []
        for _ in range(6):
            env.step(np.array([1.0, 0.0, 0.0]))
            way.append(env._robot.end_effector_position(env._simulation)[0])
        xs.append(way)
        env.close()
    np.testing.assert_allclose(xs[1][2:], xs[0][:4], atol=2e-3)
    assert xs[1][1] == pytest.approx(xs[1][0], abs=2e-3)


def test_the_next_episode_pays_nothing_for_the_last() -> None:
    """One with every axis on, then one with none: as if the first had never been."""
    env = gym.make(
        "robossl_envs:robossl/PandaPush-v0", domain="randomized", obs_format="state", randomization="full"
    ).unwrapped
    off = {"look": False, "scene": False, "sensor": False, "physics": False, "timing": False}
    actions = np.random.default_rng(0).uniform(-1, 1, (30, 3))

    def ends() -> np.ndarray:
        env.reset(seed=1, options={"axes": off})
        return np.stack([env.step(action)[4]["visual_state"] for action in actions])

    first = ends()
    for seed in (5, 6):
        env.reset(seed=seed)
        for action in actions:
            env.step(action)
        np.testing.assert_array_equal(ends(), first)
    env.close()
