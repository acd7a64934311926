"""Forward kinematics of the whole robot, many instants at once."""

import numpy as np

from robossl_envs.robots.link_poses import LinkPoses
from robossl_envs.robots.panda import panda
from robossl_envs.simulation.bullet import BulletSimulation
from robossl_envs.simulation.scene import SceneSpec


def test_links_are_where_bullet_has_them() -> None:
    robot = panda()
    links = LinkPoses(robot.urdf, robot.joints, base_position_m=robot.base_position_m)
    positions = np.array(robot.home_rad) + np.random.default_rng(0).normal(0, 0.2, (5, 9)) * ([1] * 7 + [0.02] * 2)
    simulation = BulletSimulation()
    simulation.load(SceneSpec(robot=robot))
    poses = links.poses(positions)
    for joints, expected in zip(positions, poses, strict=True):
        simulation.set_joint_state(joints)
        for name, pose in zip(links.names[1:], expected[1:], strict=True):  # Bullet does not name the root
            position_m, (x, y, z, w) = simulation.body_pose(name)
            np.testing.assert_allclose(pose[:3, 3], position_m, atol=1e-6, err_msg=name)
            facing = [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)]
            np.testing.assert_allclose(pose[:3, 0], facing, atol=1e-6, err_msg=name)
    simulation.close()


def test_poses_of_many_are_those_of_each() -> None:
    robot = panda()
    links = LinkPoses(robot.urdf, robot.joints)
    positions = np.random.default_rng(1).normal(0, 0.5, (4, 9))
    together = links.poses(positions)
    for i in range(4):
        np.testing.assert_array_equal(links.poses(positions[i : i + 1])[0], together[i])
