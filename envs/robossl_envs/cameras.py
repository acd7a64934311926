"""The nominal cameras of the arm tasks."""

from robossl_envs.rendering.camera import Camera

FRONT = Camera(name="front", position_m=(1.05, 0.0, 0.75), target_m=(0.47, 0.0, 0.04), fov_y_rad=0.6)
"""Stands beyond the table and looks back at the robot, so that the arm hides little of the table."""

WRIST = Camera(
    name="wrist",
    position_m=(0.1, 0.0, 0.02),
    target_m=(0.03, 0.0, 0.2),
    up=(1.0, 0.0, 0.0),
    fov_y_rad=1.2,
    mounted_on="panda_hand",
)
"""Rides on the hand and looks along the fingers."""

CAMERAS = {camera.name: camera for camera in (FRONT, WRIST)}
