"""Every task with every arm, on both engines."""

import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from robossl_envs import ENV_IDS
from robossl_envs.arms import BENCHMARK, TASKS, load_robot, load_task
from robossl_envs.errors import EnvError
from robossl_envs.instants import visual_state
from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.scene import SceneSpec
from robossl_envs.task_table import markdown

ENGINES = ("randomized", "heldout")


def make(env_id: str, **keywords):
    return gym.make(f"robossl_envs:{env_id}", **{"obs_format": "state", **keywords}).unwrapped


def solve(env, seed: int) -> bool:
    _, info = env.reset(seed=seed)
    expert, done = env.expert(seed=seed), False
    while not done:
        _, _, terminated, truncated, info = env.step(expert.act({}))
        done = terminated or truncated
    return bool(info["is_success"])


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_an_id_keeps_the_contract_and_its_expert_solves_it_on_both_engines(env_id: str) -> None:
    for domain in ENGINES:
        env = make(env_id, domain=domain)
        first = [env.reset(seed=3)[0]]
        actions = np.random.default_rng(0).uniform(-1, 1, (4, *env.action_space.shape))
        first += [env.step(action)[0] for action in actions]
        assert sum(solve(env, seed) for seed in (0, 1)) >= 1  # the rates are in docs/tasks.md
        again = [env.reset(seed=3)[0], *(env.step(action)[0] for action in actions)]
        np.testing.assert_array_equal(first, again)
        with pytest.raises(EnvError, match=f"an action has {env.action_space.shape[0]} finite numbers"):
            env.step(np.full(env.action_space.shape, np.nan))
        env.close()
        env.close()


@pytest.mark.parametrize("task", TASKS)
def test_gymnasium_finds_nothing_wrong_with_the_goal_conditioned_form(task: str) -> None:
    env = make(f"robossl/XArm{TASKS[task]}-v0", obs_format="goal")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checker warns of unbounded boxes
        check_env(env, skip_render_check=True)
    observation, _ = env.reset(seed=1)
    observation, reward, *_ = env.step(env.expert().act({}))
    achieved, desired = observation["achieved_goal"], observation["desired_goal"]
    assert env.compute_reward(achieved, desired, {}) == pytest.approx(reward)
    many = env.compute_reward(np.stack([achieved, desired]), np.stack([desired, desired]), {})
    np.testing.assert_allclose(many, [reward, 0.0], atol=1e-9)
    env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_engines_agree_on_pose_goal_reward_and_success_of_the_same_state(env_id: str) -> None:
    bullet, mujoco = envs = [make(env_id, domain=domain, obs_format="goal") for domain in ENGINES]
    for env in envs:
        env.reset(seed=2)
    expert, states = (
        mujoco.expert(seed=2),
        [visual_state(mujoco._task.solved(mujoco._layout), mujoco._scene, mujoco._robot)],
    )
    for _ in range(12):
        mujoco.step(expert.act({}))
        states.append(mujoco._simulation.visual_state())
    judged = set()
    for state in (states[0], states[6], states[12]):
        for env in envs:
            env._simulation.set_visual_state(state)  # also where it comes from: at rest
            np.testing.assert_allclose(env._simulation.visual_state(), state, atol=1e-5)
            env._truth = env._environment_state()
        for ours, other in zip(*(env._observe().values() for env in envs), strict=True):
            np.testing.assert_allclose(ours, other, atol=2e-4)
        ours, other = (env._error() for env in envs)
        assert ours == pytest.approx(other, abs=2e-4)
        assert bullet._reward(ours) == pytest.approx(mujoco._reward(other), abs=2e-4)
        assert bullet._is_at_goal(ours) == mujoco._is_at_goal(other)
        judged.add(mujoco._is_at_goal(other))
    assert True in judged, "the solved state counts as solved in both"
    for env in envs:
        env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_goal_image_shows_a_solved_state_and_no_start_is_solved(env_id: str) -> None:
    env = make(env_id)
    task, robot = env._task, env._robot
    scene = SceneSpec(robot=robot.spec, bodies=task.bodies, articulated=task.articulated)
    for seed in range(5):
        env.reset(seed=seed)
        assert env._error() > task.success.tolerance_m
        env._simulation.set_visual_state(visual_state(task.solved(env._layout), scene, robot))
        assert env._error() < task.success.tolerance_m
        assert env._is_at_goal(env._error())
    env.close()


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_worded_in_several_ways_and_its_steps_fit_its_time(name: str) -> None:
    task = load_task(name)
    assert task.name == name
    assert len(set(task.sentences)) >= 3
    assert 0 < task.success.hold_steps < task.success.max_episode_steps
    bodies = SceneSpec(robot=load_robot("panda"), bodies=task.bodies, articulated=task.articulated).drawn
    assert len({body.name for body in bodies}) == len(bodies)


def test_wordings_are_drawn_by_seed_and_the_first_is_usual() -> None:
    drawn = set()
    env = make("robossl/PandaLift-v0", wording="any")
    for seed in range(20):
        env.reset(seed=seed)
        drawn.add(env.episode_record()["task"])
    env.close()
    assert drawn == set(load_task("lift").sentences)
    usual = make("robossl/PandaLift-v0")
    usual.reset(seed=0)
    assert usual.episode_record()["task"] == "lift the cube"
    usual.close()


def test_a_goal_image_comes_with_the_observation_and_play_uses_the_gripper() -> None:
    env = make("robossl/XArmLift-v0", obs_format="nested", goal_image=True, image_size=32)
    observation, _ = env.reset(seed=0)
    assert observation["goal"].shape == (32, 32, 3)
    assert env.observation_space.contains(observation)
    assert np.abs(observation["goal"].astype(int) - observation["pixels"]["front"]).max() > 50
    grips = set()
    play = env.expert(kind="play", seed=0)
    for _ in range(60):
        action = play.act({})
        grips.add(float(action[3]))
        env.step(action)
    env.close()
    assert grips == {-1.0, 1.0}


def test_a_gripper_opens_and_closes_as_told() -> None:
    for arm in ("panda", "xarm"):
        robot = Robot(load_robot(arm), uses_gripper=True)
        for domain in ENGINES:
            env = make(f"robossl/{'Panda' if arm == 'panda' else 'XArm'}Lift-v0", domain=domain)
            env.reset(seed=0)
            openings_m = []
            for grip in (-1.0, 0.0, 1.0):
                for _ in range(12):
                    env.step(np.array([0.0, 0.0, 0.0, grip]))
                openings_m.append(robot.opening_m(env._simulation))
            env.close()
            assert openings_m[0] < 0.005
            assert openings_m[1] == pytest.approx(openings_m[2] / 2, abs=0.008)
            assert openings_m[2] > 0.075


def test_an_unknown_task_or_arm_is_refused_with_the_closest_name() -> None:
    with pytest.raises(EnvError, match=r"unknown task 'stak'.*did you mean 'stack'"):
        load_task("stak")
    with pytest.raises(EnvError, match=r"unknown robot 'pandas'.*did you mean 'panda'"):
        load_robot("pandas")


def test_the_detour_is_taken_on_either_side_about_equally_often() -> None:
    env = make("robossl/PandaDetour-v0")
    sides = []
    for seed in range(30):
        env.reset(seed=seed)
        expert = env.expert(seed=seed)
        for _ in range(8):
            env.step(expert.act({}))
        state = env._state_by_name()
        sides.append(np.sign(state["end_effector"][1] - state["obstacle"][1]))
    env.close()
    assert 0.25 < np.mean(np.array(sides) > 0) < 0.75


def test_what_is_articulated_is_placed_opened_and_saved_alike_in_both_engines() -> None:
    for domain in ENGINES:
        env = make("robossl/PandaDoorOpening-v0", domain=domain)
        env.reset(seed=0)
        world = env._simulation
        snapshot = world.save()
        world.set_body_pose("door", np.array([0.5, 0.0, 0.1]), np.array([0.0, 0.0, np.sin(0.2), np.cos(0.2)]))
        world.set_opening("door", 0.7)
        assert world.opening("door") == pytest.approx(0.7)
        turned = 0.4 + 0.7
        expected_m = [0.5 - 0.145 * np.cos(turned), -0.145 * np.sin(turned), 0.195]
        np.testing.assert_allclose(world.body_pose("handle")[0], expected_m, atol=1e-4)
        state = world.visual_state()
        world.restore(snapshot)
        assert world.opening("door") == pytest.approx(0.0, abs=1e-6)
        world.set_visual_state(state)
        np.testing.assert_allclose(world.visual_state(), state, atol=1e-5)
        env.close()


def test_the_page_of_tasks_shows_what_the_code_says() -> None:
    page = (Path(__file__).parents[2] / "docs/tasks.md").read_text(encoding="utf-8")
    assert markdown() in page
    assert set(BENCHMARK) <= set(TASKS)
    assert len(BENCHMARK) == 6


@pytest.mark.parametrize("env_id", ["robossl/PandaSlide-v0", "robossl/XArmSlide-v0"])
@pytest.mark.parametrize("domain", ENGINES)
def test_the_puck_of_slide_goes_on_by_itself_to_where_the_gripper_cannot_go(env_id: str, domain: str) -> None:
    env = make(env_id, domain=domain)
    _, info = env.reset(seed=1)
    expert, left_m, furthest_m, done = env.expert(), 0.0, 0.0, False
    while not done:
        _, _, terminated, truncated, info = env.step(expert.act({}))
        state, done = env._state_by_name(), terminated or truncated
        furthest_m = max(furthest_m, float(state["end_effector"][0]))
        if env._simulation.contacts("robot", "object"):
            left_m = float(state["object"][0])
    assert info["is_success"]
    assert float(state["object"][0]) - left_m > 0.06
    assert furthest_m + 0.062 < float(state["goal"][0]) - env._task.success.tolerance_m
    assert env.episode_record()["variations"]["object.friction"] == 0.05
    env.close()


@pytest.mark.parametrize(
    ("env_id", "axes"),
    [
        ("robossl/XArmPush-v0", {"object_size": [0.75, 0.75]}),  # would fit between fingers that were further apart
        ("robossl/PandaPegInsertion-v0", {"motor_gain": [1.5, 1.6], "motor_damping": [0.7, 0.8]}),  # the arm swings on
        ("robossl/XArmSlide-v0", {"object_size": [1.15, 1.15]}),  # the puck jumps away when it is touched
    ],
)
def test_experts_solve_the_hard_corners_of_full(env_id: str, axes: dict[str, list[float]]) -> None:
    env = make(env_id, domain="randomized", randomization={"preset": "full", "axes": axes})
    assert sum(solve(env, seed) for seed in range(8)) >= 7
    env.close()
