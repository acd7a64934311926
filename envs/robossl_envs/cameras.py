"""The nominal cameras of the arm tasks."""

from robossl_envs.rendering.camera import Camera
from robossl_envs.robots.panda import WRIST
from robossl_envs.simulation.scene import RobotSpec

FRONT = Camera(name="front", position_m=(1.05, 0.0, 0.75), target_m=(0.47, 0.0, 0.04), fov_y_rad=0.6)
"""Stands beyond the table and looks back at the robot, so that the arm hides little of the table."""

CAMERAS = {camera.name: camera for camera in (FRONT, WRIST)}
"""Of the Panda."""


def cameras_of(robot: RobotSpec) -> dict[str, Camera]:
    """Return the cameras by name; the one on the hand is the arm's own."""
    return {camera.name: camera for camera in (FRONT, robot.wrist) if camera is not None}
