"""MuJoCo as the second engine."""

from collections.abc import Iterator
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from mujoco_scene import CUBE_M, LINKS, SCENE

from robossl_envs.errors import EnvError
from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.bullet import BulletSimulation
from robossl_envs.simulation.mujoco import MujocoSimulation
from robossl_envs.simulation.scene import Dynamics


@pytest.fixture
def simulation() -> Iterator[MujocoSimulation]:
    world = MujocoSimulation()
    world.load(SCENE)
    yield world
    world.close()


def _push(world: MujocoSimulation, *, steps: int = 25, reset: bool = True) -> np.ndarray:
    """Lower the hand beside the cube and sweep it along y; return the visual states."""
    robot = Robot(SCENE.robot)
    if reset:
        robot.reset(world, np.array([0.5, -0.02, 0.04]))
    states = []
    for _ in range(steps):
        robot.command(world, np.array([0.0, 0.5, 0.0]))
        world.step()
        states.append(world.visual_state())
    return np.array(states)


def test_cube_rests_on_the_table(simulation: MujocoSimulation) -> None:
    simulation.set_body_pose("object", np.array([0.5, 0.1, CUBE_M + 0.02]))
    assert not simulation.contacts("object", "table")
    for _ in range(20):
        simulation.step()
    position_m, quaternion = simulation.body_pose("object")
    np.testing.assert_allclose(position_m, [0.5, 0.1, CUBE_M], atol=1e-3)
    np.testing.assert_allclose(np.abs(quaternion), [0, 0, 0, 1], atol=1e-3)
    assert simulation.contacts("object", "table")
    assert not simulation.contacts("object", "goal")
    assert np.linalg.norm(np.concatenate(simulation.body_velocity("object"))) < 1e-3


def test_arm_holds_its_pose_against_gravity(simulation: MujocoSimulation) -> None:
    before = simulation.joint_state()[0]
    for _ in range(20):
        simulation.step()
    np.testing.assert_allclose(simulation.joint_state()[0], before, atol=2e-3)


def test_arm_pushes_the_cube_and_not_the_disc(simulation: MujocoSimulation) -> None:
    before = _push(simulation, steps=1)[-1]
    assert not simulation.contacts("robot", "object")
    touched = []
    for _ in range(25):
        after = _push(simulation, steps=1, reset=False)[-1]
        touched.append(simulation.contacts("robot", "object"))
    assert any(touched)
    assert simulation.body_pose("object")[0][1] > 0.15
    np.testing.assert_array_equal(after[-7:], before[-7:])


def test_a_step_takes_one_control_step_of_motion(simulation: MujocoSimulation) -> None:
    robot = Robot(SCENE.robot)
    robot.reset(simulation, np.array([0.45, -0.1, 0.2]))
    for _ in range(4):
        before_m = robot.end_effector_position(simulation)
        robot.command(simulation, np.array([0.0, 1.0, 0.0]))
        simulation.step()
        moved_m = robot.end_effector_position(simulation) - before_m
        np.testing.assert_allclose(moved_m, [0.0, robot.max_step_m, 0.0], atol=0.006)


def test_replay_from_a_snapshot_is_bit_equal(simulation: MujocoSimulation) -> None:
    _push(simulation, steps=6)
    simulation.apply_force("object", np.array([0.5, 0.0, 0.0]))
    snapshot = simulation.save()
    runs = []
    for gain in (1.0, 1.2):  # the second run has to bring back the gain as well
        simulation.set_dynamics(Dynamics(motor_gain=gain))
        simulation.restore(snapshot)
        for _ in range(8):
            simulation.step()
        runs.append((simulation.visual_state(), *simulation.joint_state(), *simulation.body_velocity("object")))
        _push(simulation, steps=3)
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)


def test_two_worlds_run_bit_equal(simulation: MujocoSimulation) -> None:
    other = MujocoSimulation()
    other.load(SCENE)
    np.testing.assert_array_equal(_push(simulation), _push(other))


def test_links_are_where_bullet_has_them(simulation: MujocoSimulation) -> None:
    bullet = BulletSimulation()
    bullet.load(SCENE)
    generator = np.random.default_rng(0)
    for _ in range(5):
        joints = np.add(SCENE.robot.home_rad, [*generator.uniform(-0.4, 0.4, 7), 0.02, 0.03])
        for world in (simulation, bullet):
            world.set_joint_state(joints)
        for link in LINKS:
            (position_m, quaternion), (expected_m, expected) = simulation.body_pose(link), bullet.body_pose(link)
            np.testing.assert_allclose(position_m, expected_m, atol=1e-4)
            assert abs(quaternion @ expected) > 1 - 1e-6
    bullet.close()


def test_base_of_the_robot_can_stand_elsewhere() -> None:
    robot = replace(SCENE.robot, base_position_m=(0.1, -0.2, 0.3))
    world, moved = MujocoSimulation(), MujocoSimulation()
    world.load(SCENE)
    moved.load(replace(SCENE, robot=robot))
    for link in ("panda_link0", "panda_hand"):
        shift = moved.body_pose(link)[0] - world.body_pose(link)[0]
        np.testing.assert_allclose(shift, robot.base_position_m, atol=1e-9)


def test_visual_state_comes_back(simulation: MujocoSimulation) -> None:
    states = _push(simulation)
    simulation.set_visual_state(states[10])
    np.testing.assert_allclose(simulation.visual_state(), states[10], atol=1e-12)
    assert not np.any(simulation.joint_state()[1])
    assert not np.any(simulation.body_velocity("object"))
    simulation.step()
    np.testing.assert_allclose(simulation.visual_state()[:9], states[10][:9], atol=2e-3)


def test_visual_state_is_read_by_the_other_engine(simulation: MujocoSimulation) -> None:
    state = _push(simulation)[-1]
    bullet = BulletSimulation()
    bullet.load(SCENE)
    bullet.set_visual_state(state)
    np.testing.assert_allclose(bullet.visual_state(), state, atol=1e-6)
    bullet.close()


@pytest.mark.parametrize("name", ["object", "goal", "table"])
def test_bodies_can_be_placed(simulation: MujocoSimulation, name: str) -> None:
    quaternion = np.array([0.0, 0.0, np.sin(0.3), np.cos(0.3)])
    simulation.set_body_pose(name, np.array([0.6, 0.2, 0.5]), quaternion)
    np.testing.assert_allclose(np.concatenate(simulation.body_pose(name)), [0.6, 0.2, 0.5, *quaternion], atol=1e-9)
    simulation.set_body_pose(name, np.array([0.6, 0.2, 0.4]))
    np.testing.assert_allclose(simulation.body_pose(name)[1], [0, 0, 0, 1])


def test_mass_and_friction_are_set_and_go_back(simulation: MujocoSimulation) -> None:
    def slide(dynamics: Dynamics) -> float:
        simulation.set_dynamics(dynamics)
        simulation.set_body_pose("object", np.array([0.5, 0.1, CUBE_M]))
        for _ in range(5):
            simulation.apply_force("object", np.array([0.0, 2.0, 0.0]))
            simulation.step()
        return float(simulation.body_pose("object")[0][1] - 0.1)

    usual = slide(Dynamics())
    heavy = slide(Dynamics(masses_kg={"object": 0.3}))
    slippery = slide(Dynamics(frictions={"object": 0.2}))
    assert heavy < 0.7 * usual < usual < 0.8 * slippery
    assert slide(Dynamics()) == pytest.approx(usual, rel=1e-6)


def test_force_acts_for_one_control_step(simulation: MujocoSimulation) -> None:
    simulation.set_body_pose("object", np.array([0.5, 0.1, 0.5]))
    simulation.apply_force("object", np.array([0.0, 2.0, 0.0]))
    simulation.step()
    assert simulation.body_velocity("object")[0][1] == pytest.approx(2.0 / 0.2 / 20, rel=0.01)
    simulation.step()
    assert simulation.body_velocity("object")[0][1] == pytest.approx(2.0 / 0.2 / 20, rel=0.01)


def test_weak_motors_move_less(simulation: MujocoSimulation) -> None:
    moved = []
    for gain in (0.5, 1.0):
        simulation.set_dynamics(Dynamics(motor_gain=gain))
        simulation.set_joint_state(np.array(SCENE.robot.home_rad))
        simulation.set_joint_targets(np.add(SCENE.robot.home_rad, [0.01, *[0.0] * 8]))
        simulation.step()
        moved.append(simulation.joint_state()[0][0])
    assert 0.0 < moved[0] < moved[1]


def test_wrong_input_is_named(simulation: MujocoSimulation) -> None:
    with pytest.raises(EnvError, match="did you mean 'object'"):
        simulation.body_pose("objekt")
    with pytest.raises(EnvError, match="unknown body 'panda_hand'"):
        simulation.set_body_pose("panda_hand", np.zeros(3))
    with pytest.raises(EnvError, match="has 30 numbers, not 3"):
        simulation.set_visual_state(np.zeros(3))
    with pytest.raises(EnvError, match="what save"):
        simulation.restore("yesterday")
    simulation.close()
    simulation.close()
    with pytest.raises(EnvError, match="closed or was never loaded"):
        simulation.step()


def test_an_env_on_the_other_engine_looks_the_same_and_moves_otherwise() -> None:
    seen = {}
    for engine in ("bullet", "mujoco"):
        env = gym.make("robossl_envs:robossl/PandaPush-v0", domain="nominal", renderer="tiny", engine=engine).unwrapped
        observation, _ = env.reset(seed=3)
        expert, states, done = env.expert(), [], False
        while not done:
            _, _, terminated, truncated, info = env.step(expert.act({}))
            states.append(info["visual_state"])
            done = terminated or truncated
        assert info["is_success"]
        seen[engine] = observation["pixels"]["front"], states
        env.close()
    np.testing.assert_array_equal(seen["bullet"][0], seen["mujoco"][0])
    assert not np.array_equal(seen["bullet"][1][3], seen["mujoco"][1][3])


def test_the_held_out_domains_are_of_the_held_out_engine() -> None:
    with pytest.raises(EnvError, match="is the held-out engine's"):
        gym.make("robossl_envs:robossl/PandaReach-v0", domain="heldout", engine="bullet")
    with pytest.raises(EnvError, match="engine"):
        gym.make("robossl_envs:robossl/PandaReach-v0", engine="physx")
