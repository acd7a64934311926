"""Kinematics and control of the arm."""

import numpy as np
import pytest

from robossl_envs.robots.kinematics import SerialChain, rotation_error, rotation_rpy
from robossl_envs.robots.panda import panda
from robossl_envs.robots.robot import POINTING_DOWN, Robot
from robossl_envs.robots.xarm import xarm
from robossl_envs.simulation.bullet import BulletSimulation
from robossl_envs.simulation.scene import SceneSpec

HOME = np.array(panda().home_rad[:7])


@pytest.fixture
def chain() -> SerialChain:
    return SerialChain(panda().urdf, "panda_grasptarget")


def test_forward_kinematics_equals_the_engine(chain):
    simulation = BulletSimulation()
    simulation.load(SceneSpec(robot=panda()))
    for seed in range(5):
        joints = HOME + np.random.default_rng(seed).uniform(-0.4, 0.4, 7)
        simulation.set_joint_state(np.array([*joints, 0.0, 0.0]))
        np.testing.assert_allclose(chain.forward(joints)[0], simulation.body_pose("panda_grasptarget")[0], atol=1e-5)
    simulation.close()


def test_the_jacobian_is_the_derivative_of_the_pose(chain):
    position, rotation, jacobian = chain.forward(HOME)
    for joint in range(7):
        step = np.zeros(7)
        step[joint] = 1e-6
        moved, turned, _ = chain.forward(HOME + step)
        np.testing.assert_allclose(jacobian[:3, joint], (moved - position) / 1e-6, atol=1e-4)
        np.testing.assert_allclose(jacobian[3:, joint], rotation_error(turned, rotation) / 1e-6, atol=1e-4)


def test_inverse_kinematics_finds_poses_over_the_whole_table(chain):
    for seed in range(20):
        target = np.random.default_rng(seed).uniform((0.3, -0.3, 0.02), (0.7, 0.3, 0.3))
        joints = chain.inverse(target, POINTING_DOWN, start_rad=HOME, rest_rad=HOME, steps=25)
        position, rotation, _ = chain.forward(joints)
        np.testing.assert_allclose(position, target, atol=2e-3)
        assert np.linalg.norm(rotation_error(POINTING_DOWN, rotation)) < 0.03


def test_roll_pitch_yaw_follow_the_urdf_order():
    np.testing.assert_allclose(rotation_rpy(0, 0, np.pi / 2) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation_rpy(np.pi / 2, 0, 0) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    both = rotation_rpy(0, 0, 0.3) @ rotation_rpy(0, 0.2, 0) @ rotation_rpy(0.1, 0, 0)
    np.testing.assert_allclose(rotation_rpy(0.1, 0.2, 0.3), both, atol=1e-12)


def test_a_full_action_moves_the_gripper_by_about_one_step():
    simulation, robot = BulletSimulation(), Robot(panda())
    simulation.load(SceneSpec(robot=robot.spec))
    robot.reset(simulation, np.array([0.45, 0.0, 0.2]))
    start = robot.end_effector_position(simulation)
    for _ in range(5):
        robot.command(simulation, np.array([0.0, 1.0, 0.0]))
        simulation.step()
    moved = robot.end_effector_position(simulation) - start
    simulation.close()
    assert 0.6 * 5 * robot.max_step_m < moved[1] <= 5.2 * robot.max_step_m
    assert np.abs(moved[[0, 2]]).max() < 0.01


def test_the_xarm_is_where_its_kinematics_say_and_its_linkage_stays_parallel():
    arm = xarm()
    chain = SerialChain(arm.urdf, arm.end_effector)
    simulation, robot = BulletSimulation(), Robot(arm, uses_gripper=True)
    simulation.load(SceneSpec(robot=arm))
    for position_m in ([0.35, -0.2, 0.05], [0.5, 0.0, 0.2], [0.62, 0.2, 0.04]):
        robot.reset(simulation, np.array(position_m))
        np.testing.assert_allclose(robot.end_effector_position(simulation), position_m, atol=5e-3)
        at, facing, _ = chain.forward(simulation.joint_state()[0][:6])
        np.testing.assert_allclose(at + arm.base_position_m, robot.end_effector_position(simulation), atol=1e-5)
        assert np.linalg.norm(rotation_error(POINTING_DOWN, facing)) < 0.03
    for grip in (-1.0, 1.0, 0.0):
        for _ in range(10):
            robot.command(simulation, np.array([0.0, 0.0, 0.0, grip]))
            simulation.step()
        fingers = simulation.joint_state()[0][6:]
        np.testing.assert_allclose(fingers, fingers[0], atol=0.01)
    simulation.close()
