"""The Franka Emika Panda out of pybullet_data."""

from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.meshes import build_robot
from robossl_envs.simulation.scene import RobotSpec

FINGER_M = 0.027
"""Each finger's opening: a puck sinks in between the fingers far enough to be led up to 45 degrees to either side."""

WRIST = Camera(
    name="wrist",
    position_m=(0.1, 0.0, 0.02),
    target_m=(0.03, 0.0, 0.2),
    up=(1.0, 0.0, 0.0),
    fov_y_rad=1.2,
    mounted_on="panda_hand",
)
"""Rides on the hand and looks along the fingers."""


def panda() -> RobotSpec:
    """Return the Panda with low-polygon visuals, half-open gripper, hand over the middle of the table."""
    return RobotSpec(
        name="panda",
        urdf=build_robot("panda").urdf,
        joints=(*(f"panda_joint{i}" for i in range(1, 8)), "panda_finger_joint1", "panda_finger_joint2"),
        home_rad=(0.0, -0.1, 0.0, -2.3, 0.0, 2.2, 0.785, FINGER_M, FINGER_M),
        max_forces=(87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0, 20.0, 20.0),
        end_effector="panda_grasptarget",
        gripper_open=(0.04, 0.04),
        gripper_closed=(0.0, 0.0),
        finger_weights_m=(1.0, 1.0),
        pads=(
            ("panda_leftfinger", (0.0, 0.0035, 0.0435), (0.0105, 0.004, 0.012)),
            ("panda_rightfinger", (0.0, -0.0035, 0.0435), (0.0105, 0.004, 0.012)),
        ),
        coupled=("panda_finger_joint1", "panda_finger_joint2"),
        wrist=WRIST,
    )
